"""Guess first: a question with two or three answers, which a figure resolves. No script, and nothing is stored.

On a page each answer is a fold that says whether it is right, and the explanation appears when one is open. A guess in
the opening of a page covers the figure behind it until then, or until "Just show me"; on paper nothing is covered.
"""

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from .claims import raw

RIGHT = "[x] "


class Guess(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        answers, *explanation = body.children or [body]
        right = [item for item in answers if item.astext().startswith(RIGHT)]
        if not (isinstance(answers, nodes.bullet_list) and 2 <= len(answers) <= 3 and len(right) == 1 and explanation):
            raise self.error("a guess has two or three answers, one of them is right: - [x] ..., and names a figure")
        first = right[0].next_node(nodes.Text)
        first.parent.replace(first, nodes.Text(first.removeprefix(RIGHT)))
        answers["classes"] += ["guess-answers"]
        words, messages = self.state.inline_text(self.arguments[0], self.lineno)
        question = nodes.paragraph("", "", nodes.strong("", "Guess first."), nodes.Text(" "), *words)
        explanation[0].insert(0, nodes.strong("", "The answer: "))
        shown = self.folds(answers, right[0]) if self.env.app.builder.name == "html" else [answers]
        resolved = nodes.container("", *explanation, classes=["guess-answer"])
        return [nodes.container("", question, *shown, resolved, classes=["guess"]), *messages]

    def folds(self, answers, right):
        """Each answer as a fold; opening one closes the others."""
        name, made = f"guess-{self.env.new_serialno('guess')}", []
        for item in answers:
            kind, verdict = ("right", "Right.") if item is right else ("wrong", "Not so.")
            made.append(raw(f'<details class="guess-{kind}" name="{name}"><summary>'))
            made.append(nodes.inline("", "", *item[0].children))
            made.append(raw(f"</summary><p>{verdict}</p></details>"))
        return made
