"""Guess first: a question with two or three answers to click, which a figure resolves.

No script, and nothing is stored.

    ```{guess} How many corners has a cube?
    - Six
    - [x] Eight

    {numref}`fig-cube` shows them.
    ```

On a page each answer is a fold that says whether it is right, and the explanation appears when one is open. A guess in
the opening of a page covers the figure behind it until then, or until "Just show me"; without scripts and on paper
nothing is covered. Other kinds of book show the question, the answers and the explanation.
"""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .claims import raw

RIGHT = re.compile(r"(?<=^- )\[x\] ")
MARK = re.compile(r"(?<=^- )\[[x ]\] ")


class Guess(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        lines = list(self.content)
        count = sum(line.startswith("- ") for line in lines)
        right = [i for i, line in enumerate(lines) if RIGHT.search(line)]
        if not 2 <= count <= 3 or len(right) != 1 or right[0] >= count:
            raise self.error("a guess has two or three answers, first of all, and one of them is right: - [x] ...")
        for i, line in enumerate(lines):
            self.content[i] = MARK.sub("", line)
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        answers, *explanation = body.children
        if not explanation:
            raise self.error("a guess ends with a line that names the figure which resolves it")
        answers["classes"] += ["guess-answers"]
        answers["right"] = right[0]
        words, messages = self.state.inline_text(self.arguments[0], self.lineno)
        question = nodes.paragraph("", "", nodes.strong("", "Guess first."), nodes.Text(" "), *words)
        explanation[0].insert(0, nodes.strong("", "The answer: "))
        resolved = nodes.container("", *explanation, classes=["guess-answer"])
        return [nodes.container("", question, answers, resolved, classes=["guess"]), *messages]


def fold(app, doctree, docname):
    """On a page each answer is a fold, and opening one closes the others."""
    if app.builder.name != "html":
        return
    lists = [node for node in doctree.findall(nodes.bullet_list) if "guess-answers" in node["classes"]]
    for number, answers in enumerate(lists):
        folds = []
        for i, item in enumerate(answers):
            kind, verdict = ("right", "Right.") if i == answers["right"] else ("wrong", "Not so.")
            folds.append(raw(f'<details class="guess-{kind}" name="guess-{number}"><summary>'))
            folds.append(nodes.inline("", "", *item[0].children))
            folds.append(raw(f"</summary><p>{verdict}</p></details>"))
        at = answers.parent.index(answers)
        if "guess-before" in answers.parent["classes"]:
            skip = f'<details class="guess-skip" name="guess-{number}"><summary>Just show me</summary></details>'
            folds.append(raw(skip))
        answers.parent[at : at + 1] = folds
