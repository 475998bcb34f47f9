"""Makes a language model of random weights that vLLM serves in seconds: half a megabyte.

It answers nonsense, at the speed and through the code of a real one. It needs the
interpreter that has vLLM:

    .vllm/bin/python tests/tiny_model.py FOLDER
"""

import sys

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

SPECIAL = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
VOCABULARY = 640  # at most: the 256 bytes, so that any text can be read, and some merges
CONTEXT = 2048  # tokens

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

TEXT = [
    "Mina has 3 apples and buys 4 more. How many apples does she have now?",
    "She has 3 + 4 = 7 apples. The answer is 7.",
    "A train runs 120 km in 2 hours. How far does it run in one hour?",
    "Write a function that returns the larger of two numbers.",
    "def larger(a, b):\n    return a if a > b else b\n",
    "민아는 사과 3개를 가지고 있고 4개를 더 샀습니다. 사과는 모두 몇 개입니까?",
    "3 + 4 = 7이므로 사과는 모두 7개입니다. 정답은 7입니다.",
    "기차가 2시간 동안 120 km를 달렸습니다. 한 시간에 몇 km를 달렸습니까?",
    "두 수 중에서 더 큰 수를 돌려주는 함수를 작성하세요.",
]


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level pairs learnt from the few lines above, and a chat template."""
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        TEXT, VOCABULARY, min_frequency=2, show_progress=False, special_tokens=SPECIAL
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer,
        eos_token=SPECIAL[0],
        pad_token=SPECIAL[0],
        additional_special_tokens=SPECIAL[1:],
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )


def make_model(vocabulary: int, end: int) -> LlamaForCausalLM:
    """A Llama of two layers; the same weights each time."""
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,  # of 32 each, the least that vLLM has CPU kernels for
            num_key_value_heads=1,
            max_position_embeddings=CONTEXT,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
            tie_word_embeddings=True,
        )
    )


def make(folder: str) -> None:
    """Saves tokenizer and model below the folder, as `--model` wants them."""
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(folder)
    make_model(len(tokenizer), tokenizer.eos_token_id).save_pretrained(folder)


if __name__ == "__main__":
    make(sys.argv[1])
