"""Values as JSON between the tests and the answer, which do not trust each other.

Decoding makes plain values only: of the built-in types, of a few of the standard
library, and of the classes that the text before the answer defines, looked up on
the receiving side. So a value that arrives has no method of the sender's, and
comparing it cannot be tampered with. Anything else stays where it is and is known
to the other side by a number.
"""

from __future__ import annotations

import builtins
import collections
import datetime
import decimal
import fractions
import json
from collections.abc import Callable, Mapping
from typing import Any

Value = Any
Tree = Any
"""What JSON can hold."""

LONGEST_INTEGER = 10_000
"""Bits; longer ones go as hexadecimal, which Python reads at any length."""

_CONTAINERS: dict[str, Callable[[list[Value]], Value]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
    "bytes": bytes,
    "bytearray": bytearray,
}
# Class, the type of its parts, and the parts that make it again.
_VALUES: dict[str, tuple[type, type, Callable[[Any], tuple[Value, ...]]]] = {
    "complex": (complex, float, lambda v: (v.real, v.imag)),
    "range": (range, int, lambda v: (v.start, v.stop, v.step)),
    "Decimal": (decimal.Decimal, str, lambda v: (str(v),)),
    "Fraction": (fractions.Fraction, int, lambda v: (v.numerator, v.denominator)),
    "date": (datetime.date, int, lambda v: (v.year, v.month, v.day)),
    "timedelta": (datetime.timedelta, int, lambda v: (v.days, v.seconds, v.microseconds)),
    "datetime": (
        datetime.datetime,
        int,
        lambda v: (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond),
    ),
}
# A subclass goes as the first of these that it is: a Counter as a dict, an IntEnum as an int.
_BASES = (int, float, str, bytes, bytearray, tuple, list, dict, set, frozenset)
_ITERABLE = {kind: name for name, kind in _CONTAINERS.items()}
_PARTS = {kind: (name, parts) for name, (kind, _, parts) in _VALUES.items()}


class Unplain(Exception):
    """A message that is not as `Wire.encode` makes them."""


class Proxy:
    """Something that stays on the other side, where it has this number."""

    def __init__(self, number: int) -> None:
        self._number = number


class Wire:
    """Both directions of one side.

    Attributes:
      classes: names of the classes whose objects go by their attributes.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        proxy: Callable[[int], Proxy],
        exporting: Callable[..., bool],
    ) -> None:
        """Makes a side.

        Args:
          names: where classes are looked up by name; may change later.
          proxy: makes what stands for a thing of the other side.
          exporting: whether a thing that is no value may be known to the other side.
        """
        self.classes: set[str] = set()
        self._names = names
        self._proxy = proxy
        self._exporting = exporting
        self._exported: list[Any] = []
        self._numbers: dict[int, int] = {}

    def encode(self, value: Value) -> bytes:
        """The value and all it holds; objects in a table, so that they may form a ring."""
        objects: list[Any] = []
        places: dict[int, int] = {}
        tree = self._tree(value, objects, places)
        table = []
        for thing in objects:  # grows while it is gone through
            attributes = {n: self._tree(v, objects, places) for n, v in _attributes(thing)}
            table.append([type(thing).__name__, attributes])
        return json.dumps([tree, table]).encode()

    def decode(self, message: bytes) -> Value:
        """What `encode` was given, on the other side."""
        try:
            tree, table = json.loads(message)
            objects = [self._blank(name) for name, _ in table]
            for thing, (_, attributes) in zip(objects, table, strict=True):
                for name, value in attributes.items():
                    if callable(getattr(type(thing), name, None)):
                        raise Unplain(f"an object's own {name!r} in place of its class's")
                    object.__setattr__(thing, name, self._value(value, objects))
            return self._value(tree, objects)
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as problem:
            raise Unplain(f"{type(problem).__name__}: {problem}") from problem

    def _tree(self, value: Value, objects: list[Any], places: dict[int, int]) -> Tree:
        kind = type(value)
        if kind is int:
            return value if value.bit_length() <= LONGEST_INTEGER else {"int": hex(value)}
        if value is None or kind is bool or kind is float or kind is str:
            return value
        if kind is list:
            return [self._tree(item, objects, places) for item in value]
        if kind is dict:
            items = [[self._tree(part, objects, places) for part in i] for i in value.items()]
            return {"dict": items}
        if kind in _ITERABLE:
            return {_ITERABLE[kind]: [self._tree(item, objects, places) for item in value]}
        if kind in _PARTS:
            name, parts = _PARTS[kind]
            return {"value": [name, *parts(value)]}
        if isinstance(value, Proxy):
            return {"yours": value._number}
        if isinstance(value, type) and vars(builtins).get(value.__name__) is value:
            return {"type": value.__name__}  # type: ignore[union-attr]
        if kind.__name__ in self.classes:
            if id(value) not in places:
                places[id(value)] = len(objects)
                objects.append(value)
            return {"object": places[id(value)]}
        for base in _BASES:
            if isinstance(value, base):
                return self._tree(_as_base(value, base), objects, places)
        return {"mine": self._export(value)}

    def _export(self, thing: Any) -> int:
        if not self._exporting(thing):
            raise TypeError(f"a {type(thing).__name__} of the tests cannot go to the answer")
        if id(thing) not in self._numbers:
            self._numbers[id(thing)] = len(self._exported)
            self._exported.append(thing)
        return self._numbers[id(thing)]

    def _value(self, tree: Tree, objects: list[Any]) -> Value:
        if isinstance(tree, list):
            return [self._value(item, objects) for item in tree]
        if not isinstance(tree, dict):
            return tree
        ((tag, held),) = tree.items()
        if tag == "dict":
            return {self._value(k, objects): self._value(v, objects) for k, v in held}
        if tag in _CONTAINERS:
            return _CONTAINERS[tag]([self._value(item, objects) for item in held])
        if tag == "value":
            kind, of, _ = _VALUES[held[0]]
            if any(type(part) is not of for part in held[1:]):
                raise Unplain(f"a {held[0]} made of anything but {of.__name__}")
            return kind(*held[1:])
        if tag == "int":
            return int(held, 16)
        if tag == "object":
            return objects[held]
        if tag == "type":
            return _builtin_type(held)
        if tag == "yours":
            return self._exported[held]
        if tag == "mine" and type(held) is int:
            return self._proxy(held)
        raise Unplain(f"a value tagged {tag!r}")

    def _blank(self, name: str) -> Any:
        kind = self._names.get(name)
        if name not in self.classes or not isinstance(kind, type):
            raise Unplain(f"an object of the class {name!r}")
        return object.__new__(kind)


def defined_classes(names: Mapping[str, Any], module: str) -> set[str]:
    """Names of the classes that were defined in this module."""
    return {
        name
        for name, thing in names.items()
        if isinstance(thing, type) and thing.__module__ == module and thing.__name__ == name
    }


def _builtin_type(name: str) -> type:
    kind = getattr(builtins, name)
    if not isinstance(kind, type):
        raise Unplain(f"{name!r} as a type")
    return kind


def _as_base(value: Any, base: type) -> Value:
    if base is dict:
        return dict(value.items())
    return base.__str__(value) if base is str else base(value)


def _attributes(thing: Any) -> list[tuple[str, Any]]:
    slots = [
        slot
        for kind in type(thing).__mro__
        for slot in getattr(kind, "__slots__", ())
        if slot not in ("__dict__", "__weakref__")
    ]
    held = [(slot, getattr(thing, slot)) for slot in slots if hasattr(thing, slot)]
    return held + list(getattr(thing, "__dict__", {}).items())
