"""Prompts as people write them, with answers that keep or break what they demand."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.grading.demands import DEMANDS, Task
from beam_thunder.grading.instructions import NONE, VERSION, grade_instructions

ONE = "Bees visit flowers."
TWO = "Bees visit flowers. They carry pollen."
THREE = TWO + " Plants then bear fruit."
SHORT_LIST = "1. Sleep well\n2. Eat well\n3. Walk a lot"
BULLETS = "- Sleep well\n- Eat well\n- Walk a lot"
KO_TWO = "벌은 꽃을 찾습니다. 그리고 꽃가루를 옮깁니다."
KO_THREE = KO_TWO + " 그래서 열매가 맺힙니다."
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"
HUNDRED = "word " * 100


def grade(question, response, reference=None, language=None):
    korean = any("가" <= character <= "힣" for character in question)
    return grade_instructions(
        question, response, reference, language or ("ko", "en")[not korean]
    )


def verdict(question, response, reference=None, language=None):
    return grade(question, response, reference, language).verdict


# Each row: a prompt, an answer that keeps its demand, one that breaks it, and the rule.
KEPT_AND_BROKEN = [
    ("Explain pollination in exactly 3 sentences.", THREE, TWO, "sentence_count"),
    ("Explain pollination in three sentences.", THREE, ONE, "sentence_count"),
    ("Describe bees in 2-3 sentences.", TWO, ONE, "sentence_count"),
    ("Summarize the text in one sentence.", ONE, THREE, "sentence_count"),
    ("Write a two-sentence story about bees.", TWO, THREE, "sentence_count"),
    ("Answer in no more than two sentences.", ONE, THREE, "sentence_count"),
    ("Please write at least 3 sentences about bees.", THREE, ONE, "sentence_count"),
    ("What do bees do? Answer in two sentences.", TWO, THREE, "sentence_count"),
    ("벌이 하는 일을 세 문장으로 설명해줘.", KO_THREE, KO_TWO, "sentence_count"),
    ("벌에 대해 2문장 이내로 답하세요.", KO_TWO, KO_THREE, "sentence_count"),
    ("벌에 대해 3개의 문장으로 요약해 주세요.", KO_THREE, KO_TWO, "sentence_count"),
    ("벌에 대해 최소 세 문장 이상 작성하시오.", KO_THREE, KO_TWO, "sentence_count"),
    ("Write at least 100 words about bees.", HUNDRED, TWO, "word_count"),
    ("Describe bees in no more than 50 words.", TWO, HUNDRED, "word_count"),
    ("Describe bees in 50 words or less.", TWO, HUNDRED, "word_count"),
    ("Limit your answer to 20 words.", TWO, HUNDRED, "word_count"),
    ("Keep your response under 20 words.", TWO, HUNDRED, "word_count"),
    ("Write between 90 and 110 words on bees.", HUNDRED, TWO, "word_count"),
    ("Your answer must contain at least 1,00 words." .replace("1,00", "100"), HUNDRED, TWO,
     "word_count"),
    ("Describe bees in exactly three words.", ONE, TWO, "word_count"),
    ("사랑을 세 단어로 표현하여 답해줘.", "따뜻함 배려 믿음", KO_THREE, "word_count"),
    ("Write two paragraphs about bees.", f"{TWO}\n\n{TWO}", TWO, "paragraph_count"),
    ("Write an essay in 3 paragraphs.", "\n\n".join([TWO] * 3), f"{TWO}\n\n{TWO}",
     "paragraph_count"),
    ("벌에 대해 3개의 문단으로 작성해 주세요.", "\n\n".join([KO_TWO] * 3), KO_TWO,
     "paragraph_count"),
    ("벌에 대한 글을 두 문단으로 써줘.", "\n\n".join([KO_TWO] * 2), KO_TWO,
     "paragraph_count"),
    ("Write a poem in four lines.", "a\nb\nc\nd", "a\nb", "line_count"),
    ("Write a description of at most 100 characters.", TWO, HUNDRED, "character_count"),
    ("벌에 대해 100자 이내로 요약해줘.", KO_TWO, KO_TWO * 10, "character_count"),
    ("벌에 대해 200자 이상 작성하시오.", KO_TWO * 20, KO_TWO, "character_count"),
    ("Summarize the benefits in 3 bullet points.", BULLETS, BULLETS + "\n- More",
     "bullet_count"),
    ("Summarize the benefits in 3 bullet points.", SHORT_LIST, TWO, "bullet_count"),
    ("List 3 ways to stay healthy.", SHORT_LIST, SHORT_LIST + "\n4. Drink", "item_count"),
    ("Give me three tips for better health.", BULLETS, "- Sleep\n- Eat", "item_count"),
    ("Can you suggest at least 3 healthy habits?", SHORT_LIST, "1. Eat\n2. Walk", "item_count"),
    ("건강을 지키는 방법 3가지를 알려줘.", SHORT_LIST, "1. 잠\n2. 밥", "item_count"),
    ("건강에 좋은 습관을 세 가지 소개해 주세요.", SHORT_LIST, "1. 잠\n2. 밥", "item_count"),
    ("Write a sentence. Use the word 'pollen'.", TWO, ONE, "keywords_used"),
    ("Write about bees using the words 'pollen' and 'plants'.", THREE, TWO, "keywords_used"),
    ("Please include the phrase \"carry pollen\".", TWO, ONE, "keywords_used"),
    ("Write a sentence that uses the word pollen.", TWO, ONE, "keywords_used"),
    ("'꽃가루'라는 단어를 사용해서 문장을 만들어줘.", KO_TWO, "벌은 납니다.",
     "keywords_used"),
    ("Use the word 'bees' at least 2 times.", "Bees like bees.", ONE, "keyword_frequency"),
    ("Use the word 'bees' exactly once.", ONE, "Bees like bees.", "keyword_frequency"),
    ("Describe bees. Do not use the word 'pollen'.", ONE, TWO, "keywords_avoided"),
    ("Describe bees without using the words 'pollen' or 'honey'.", ONE, TWO,
     "keywords_avoided"),
    ("'꽃가루'라는 단어를 쓰지 말고 설명해줘.", "벌은 납니다.", KO_TWO,
     "keywords_avoided"),
    ("'벌'이라는 단어를 사용하지 마세요.", "벌써 봄입니다.", KO_TWO, "keywords_avoided"),
    ("Write a sentence without the letter e.", "A dog is big.", ONE, "letters_avoided"),
    ("Describe bees. Do not use any commas.", TWO, "Bees, they fly.", "no_commas"),
    ("쉼표를 사용하지 말고 설명해줘.", KO_TWO, "벌은, 납니다.", "no_commas"),
    ("Answer in JSON format: who wrote it?", '{"author": "Ann"}', "Ann wrote it.",
     "json_format"),
    ("Return your answer as valid JSON.", 'Here:\n```json\n[1, 2]\n```', '{"a": 1,}',
     "json_format"),
    ("벌의 특징을 JSON 형식으로 출력해줘.", '{"다리": 6}', KO_TWO, "json_format"),
    ("Present the results in CSV format.", "a,b\n1,2", "There are two.", "csv_format"),
    ("Present the steps as a numbered list.", SHORT_LIST, TWO, "numbered_list"),
    ("번호를 매겨 정리해줘.", SHORT_LIST, KO_TWO, "numbered_list"),
    ("Summarize it using bullet points.", BULLETS, TWO, "bullet_list"),
    ("글머리 기호로 정리해줘.", BULLETS, KO_TWO, "bullet_list"),
    ("Compare them. Present it as a markdown table.", TABLE, TWO, "markdown_table"),
    ("두 가지를 표로 정리해줘.", TABLE, KO_TWO, "markdown_table"),
    ("Write a poem with a title wrapped in double angular brackets, such as <<my poem>>.",
     "<<Bees>>\nThey fly.", "Bees\nThey fly.", "title_in_brackets"),
    ("Add two numbers in Python. Output only the code.", "```python\na + b\n```",
     "Sure:\n```python\na + b\n```", "code_only"),
    ("What is pollen? Answer in Korean.", KO_TWO, TWO + " " + THREE, "answer_language"),
    ("벌이 무엇인지 영어로 답해줘.", TWO, KO_TWO, "answer_language"),
    ("Translate this sentence into Korean: Bees visit flowers.", "벌은 꽃을 찾는다.", ONE,
     "translation_target"),
    ("다음 문장을 영어로 번역해줘: 벌은 꽃을 찾는다.", ONE, "벌은 꽃을 찾는다.",
     "translation_target"),
    ("Please respond in all lowercase.", TWO.lower(), TWO, "letter_case"),
    ("Write your answer in all caps.", TWO.upper(), TWO, "letter_case"),
    ("Begin your answer with \"Once upon a time\".", "Once upon a time, ...", TWO, "opening"),
    ("Write a story that starts with \"The bees\".", "# Bees\n\nThe bees flew.", TWO,
     "opening"),
    ("\"옛날 옛적에\"로 시작하는 이야기를 써줘.", "옛날 옛적에 벌이 살았습니다.", KO_TWO,
     "opening"),
    ("End your response with the phrase \"Good luck\".", TWO + " Good luck!", TWO, "ending"),
    ("\"감사합니다\"로 끝내 주세요.", KO_TWO + " 감사합니다.", KO_TWO, "ending"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "kept", "broken", "rule"), KEPT_AND_BROKEN, ids=range(len(KEPT_AND_BROKEN))
)
def test_a_demand_is_found_and_judged(question, kept, broken, rule):
    good, bad = grade(question, kept), grade(question, broken)
    assert (good.verdict, bad.verdict) == ("correct", "wrong"), (good, bad)
    assert rule in good.rule.split("+")
    assert bad.rule == rule


# Prompts that look as if they demanded something of the answer, and do not.
TRAPS = [
    "How do I write a 500-word essay in 3 hours?",
    "How many words are in 3 sentences?",
    "Write a program that accepts at most 50 words.",
    "Write a Python function that returns the result in JSON format.",
    "Write a function that prints exactly 3 sentences.",
    "Explain what a one-sentence summary is.",
    "Write about 100 words on bees.",
    "Write a 500-word essay on bees.",
    "Write 3 sentences in the introduction and conclude with a question.",
    "Write five sentences for each season.",
    "Write a story about a man who says at most 3 words.",
    "Combine these two sentences.",
    "Tell a story with 3 characters.",
    "Write a short title of at most 3 words for this story, then the story.",
    "Summarize the following text:\n\nAnswers must be in exactly 7 sentences.\n\nThey were.",
    "Passage: Write at least 100 words.\nWhat is asked for?",
    "Q: Answer in one word.\nA: Yes\nQ: Answer in 3 words.\nA:",
    'Explain this rule: "Write at least 100 words."',
    "```\nAnswer in exactly 9 sentences.\n```\nWhat does this file say?",
    "List 3 pros and 3 cons of bees.",
    "List 5 foods for each of the 7 days.",
    "Name one of the planets.",
    "How do you use the word 'irony'?",
    "Explain why people avoid the word 'moist'.",
    "Explain how to use the word 'whom' in a sentence.",
    "Do not use the word 'very' too often.",
    "Use either the word 'honey' or the word 'wax'.",
    "What does 'use the word honey' mean?",
    "Explain the difference between JSON and XML.",
    "Convert this JSON to a list of names.",
    "Do not answer in JSON.",
    "What is a markdown table?",
    "List the elements in the periodic table.",
    'Translate "good morning" to French.',
    "Translate the following into Spanish: I answer in Korean.",
    "How do you say 'hello' in Korean?",
    "How do people answer the phone in Korean?",
    "Do not answer in Korean.",
    "Name two animals that begin with 'B'.",
    'Give me words that end with "tion".',
    "How do I convert a string to all lowercase?",
    "Which letters are written in all caps?",
    "Should I write my name in all caps?",
    "Describe a comma splice. Avoid comma splices.",
    "Write a letter of complaint without the letter of the law being quoted.",
    "한 문장으로 된 시는 무엇인가요?",
    "이 두 문장을 하나로 합쳐줘.",
    "이 두 문장으로 이야기를 만들어줘.",
    "오감 5가지는 무엇인가요?",
    "3가지 색을 섞으면 무슨 색이 되는지 알려줘.",
    "벌에 대해 100자 내외로 써줘.",
    "각각 세 문장으로 설명해줘.",
    "세 문장 정도로 설명해줘.",
    "3자녀 이상 가구의 혜택을 알려줘.",
    "'사랑'이라는 단어를 사용하는 이유는 무엇인가요?",
    "'가'로 시작하는 단어를 알려줘.",
    "결과를 JSON 형식으로 출력하는 함수를 작성해줘.",
    "영어로 답하면 안 되는 이유는?",
    "프랑스어로 번역해줘: 안녕하세요.",
    "표로 정리하는 방법이 뭔가요?",
    "한국어와 영어로 답해줘.",
    "다음 글을 요약해줘:\n\n반드시 세 문장으로 작성하시오.\n\n그렇게 적혀 있다.",
    "Make a list of 5 words.",
    "Write a sentence using 3 words: cat, dog and sun.",
    "Use the word correctly in a sentence.",
    "Include the word count.",
    "Give an overview of dates in JSON.",
    "List the columns in a table.",
    "Summarize the letter written in Korean.",
    "영어로 쓰인 글을 요약해줘.",
    "영어로 답하는 방법을 알려줘.",
    "나무를 3줄로 심었습니다. 모두 몇 그루인지 구하시오.",
    "학생들이 한 줄로 섰을 때 몇 번째인지 구하시오.",
    "Write the word 'hello' in all caps.",
    "양파는 어떤 식물 부위인가요? 그리고 고구마는 뿌리인가요?",
]


@pytest.mark.parametrize("question", TRAPS, ids=range(len(TRAPS)))
@pytest.mark.parametrize("response", [TWO, KO_TWO, HUNDRED, "1. a\n2. b", "네"], ids=range(5))
def test_no_demand_is_seen_where_none_is(question, response):
    assert grade(question, response).rule == NONE


@pytest.mark.parametrize(
    ("question", "response"),
    [
        ("Write two sentences.", "Here are two sentences:\n\n" + TWO),
        ("Write two sentences.", "Dr. Smith paid $3.50 at 9 a.m. today. Then he left."),
        ("Write two sentences.", '"Stop!" she said. He stopped.'),
        ("Write two sentences.", "1. " + ONE + "\n2. " + ONE),
        ("Write two paragraphs.", f"# Bees\n\n{TWO}\n\n{TWO}\n\nLet me know if I can help!"),
        ("Write an answer in exactly 4 words.", "Well-known bees visit flowers."),
        ("List 3 ways to stay healthy.", "Sleep, eat and walk."),  # no list: cannot be counted
        ("List 3 ways to stay healthy.", "1. Sleep\n - early\n - long\n2. Eat\n3. Walk"),
        ("List 3 ways to stay healthy.", "## Body\n- a\n- b\n## Mind\n- c\n- d"),
        ("List 3 ways to stay healthy.", "- a\n- b\n- c\nAlso avoid:\n- d\n- e"),
        ("Summarize it using bullet points.", SHORT_LIST),
        ("Present the results in CSV format.", "Here, the CSV:\na,b,c\n1,2,3"),
        ("Add two numbers. Output only the code.", "a + b"),
        (
            "What is pollen? Answer in Korean.",
            "Pollen은 꽃가루 입니다 and it is carried by bees.",
        ),
        ("Do not use any commas.", "1,000 bees fly."),
        ("Use the word 'run'.", "He was running."),
        ("Write a sentence without the word 'bee'.", "Beehives are warm."),
    ],
    ids=range(17),
)
def test_no_answer_is_wrong_by_one_reading_alone(question, response):
    assert verdict(question, response) != "wrong", grade(question, response)


def test_every_demand_is_tested():
    from beam_thunder.grading import demands

    tested = {row[-1] for row in KEPT_AND_BROKEN} | {"option_choice", "yes_or_no"}
    assert {demand.__name__ for demand in demands.DEMANDS} == tested


def test_one_broken_demand_of_two_is_wrong():
    question = "Write exactly two sentences. Use the word 'pollen'."
    assert grade(question, TWO).rule == "sentence_count+keywords_used"
    assert verdict(question, TWO) == "correct"
    assert grade(question, THREE).rule == "sentence_count"
    assert grade(question, ONE + " They fly.").rule == "keywords_used"


def test_demands_that_exclude_each_other_are_not_judged():
    assert grade("Write two sentences. Answer in 5 sentences.", TWO).rule == NONE


def test_the_reason_says_what_was_demanded_and_found():
    found = grade("Describe bees in at most 5 words.", TWO)
    assert found.reason == "demanded at most 5 words, found 6 words"


def test_demands_are_read_in_the_questions_language():
    question = "'Answer in 3 sentences'를 번역해 보고 싶어요. Answer in 3 sentences."
    assert grade_instructions(question, TWO, None, "ko").rule == NONE
    assert grade_instructions(question, TWO, None, "en").verdict == "wrong"


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match=r"language 'fr': expected one of ko, en"):
        grade_instructions("Bonjour", "Bonjour", None, "fr")


def test_version_is_a_number():
    assert VERSION == 1


# Hostile texts

HOSTILE = [
    "." * 200_000,
    "!?" * 100_000 + "x",
    '"' * 200_000,
    "“" * 200_000,
    "'a " * 66_000,
    "```" * 66_001,
    "```" + "a" * 200_000,
    "\n" * 200_000,
    "\n" + " " * 200_000,
    " " * 200_000 + "x",
    "|" * 200_000,
    "-" * 200_000,
    "[" * 200_000,
    "9" * 200_000,
    "a" * 200_000,
    "가" * 200_000,
    "answer " * 28_000,
    "options" + ":" * 200_000,
    "options: " + " " * 200_000,
    "A) " * 66_000,
    "Q: " * 66_000,
    "'" * 200_000,
    "<<" * 100_000,
    "**" * 100_000,
    "1. a\n" * 40_000,
    "yes no " * 28_000,
    "Write 3 sentences. " * 10_000,
    "following " * 20_000,
]
EVERYTHING = (
    "Answer in JSON and CSV format as a numbered list, using bullet points, in a markdown "
    "table, in exactly 3 sentences, with at least 2 words.\nList 3 ways. Use the word 'x'. Do "
    "not use the word 'y'. Avoid the letter e. Do not use commas. Answer in Korean. Respond in "
    "all caps. "
    'Begin your answer with "a b". End your answer with "c d".\nOutput only the code.\n'
    "A) one\nB) two"
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_take_no_time(text):
    start = time.process_time()
    grade_instructions(EVERYTHING, text, "A", "en")
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("language", ["ko", "en"])
def test_hostile_questions_take_no_time(text, language):
    start = time.process_time()
    grade_instructions(text, TWO, "A", language)
    assert time.process_time() - start < 1


@given(st.text(max_size=300), st.text(max_size=300), st.none() | st.text(max_size=20))
def test_any_text_is_graded(question, response, reference):
    for language in ("ko", "en"):
        task = Task(question, response, reference, language)
        assert all(check.rule == each.__name__ for each in DEMANDS for check in each(task))
        grade_instructions(question, response, reference, language)


def test_real_questions_make_few_demands(raw):
    """Korean and English questions without any verifiable demand."""
    import json

    lines = (raw / "samples" / "koalpaca_head2.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        assert verdict(row["instruction"], row["output"], row["output"]) == "ungradable"
