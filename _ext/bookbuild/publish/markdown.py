"""MyST Markdown as plain Markdown, for readers of a notebook, where MyST is shown as raw text.

`labels` gives the text that stands for a label, a page or a cited work; under "address LABEL" where it can be read,
if that is known.
"""

import re

FENCE = re.compile(r"^(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:-]+)\}\s*(?P<title>.*)$")
CODE_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?!\{)")
OPTION = re.compile(r"^:(?P<key>[\w-]+):\s*(?P<value>.*)$")
LABEL = re.compile(r"^\((?P<label>[\w:-]+)\)=\s*$")
TAGGED = re.compile(r"\$\$[ \t]*\((?P<label>[\w:-]+)\)[ \t]*$", re.MULTILINE)
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>#[\w:-]+|[\w/.-]+\.md)\)")
NAMED = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "seealso"}
TITLED = {"admonition", "dropdown", "topic", "sidebar", "margin"}
DROPPED = {"bibliography", "tableofcontents", "exercise-end", "solution-end"}


def split_options(lines):
    """Split a directive's lines into its options and its body."""
    options, i = {}, 0
    while i < len(lines) and (match := OPTION.match(lines[i])):
        options[match["key"]], i = match["value"], i + 1
    return options, "\n".join(lines[i:]).strip("\n")


def quote(head, body):
    lines = ([f"**{head}**", ""] if head else []) + body.split("\n")
    return [f"> {line}".rstrip() for line in lines]


def directive(name, title, lines, labels):
    """One directive as plain Markdown lines; ValueError if there is no rule for it."""
    options, body = split_options(lines)
    label = labels.get(options.get("label", options.get("name", "")), "")
    if name in DROPPED:
        return []
    if name == "math":
        return ["$$", body, *([rf"\tag{{{label.strip('()')}}}"] if label else []), "$$"]
    if name in {"code-block", "code"}:
        return [f"```{title}", body, "```"]
    body = plain(body, labels)
    if name in {"exercise-start", "solution-start"}:
        head = label if name == "exercise-start" else f"Solution to {labels.get(title, 'the exercise')}"
        tail = f" ({title})" if title and name == "exercise-start" else ""
        return [f"**{head}**{tail}", "", body]
    if name in {"figure", "image"}:
        return [f"![{options.get('alt', '')}]({title})", "", f"**{label}** {body}".strip()]
    if name == "guess":
        answers, _, explanation = body.replace("- [x] ", "- ").partition("\n\n")
        asked = [f"**Guess first.** {inline(title, labels)}", "", answers, ""]
        return [*asked, "<details><summary>The answer</summary>", "", explanation, "", "</details>"]
    if name == "table":
        return [f"**{label}** {inline(title, labels)}".strip(), "", body]
    if name in NAMED:  # what follows the name on the first line is text, not a title
        return quote(name.capitalize(), "\n".join(filter(None, [inline(title, labels), body])))
    if name in TITLED:
        return quote(inline(title, labels), body)
    if name == "solution":
        return quote(f"Solution to {labels.get(title, 'the exercise')}", body)
    if name == "exercise" or name.startswith("prf:"):
        head = label or name.split(":")[-1].capitalize()
        return quote(f"{head} ({inline(title, labels)})" if title else head, body)
    raise ValueError(f"no plain Markdown for the directive {{{name}}}")


def role(match, labels):
    """One inline role as text, a link where its address is known; ValueError if the label is unknown."""
    name, text = match["role"], match["text"]
    if name == "math":
        return f"${text}$"
    if name.startswith("py:"):
        return f"`{text.removeprefix('~')}`"
    if name.startswith("cite"):
        return _cite(name, [key.strip() for key in text.split(",")], labels)
    words, _, target = text.rpartition("<")
    if name == "term":
        target = target.removesuffix(">") if words else text
        return _linked(words.strip() or text, f"term {target.lower()}", labels)
    if target.endswith(">"):
        target = target[:-1]
        number = labels[target].split()[-1] if target in labels else ""
        return _linked(words.strip().replace("%s", number).replace("{number}", number), target.lstrip("/"), labels)
    target = text.lstrip("/")
    for known in (f"numref {target}" if name == "numref" else target, target, f"chapters/{target}"):
        if known in labels:
            return _linked(labels[known], known.removeprefix("numref "), labels)
    raise ValueError(f"no text for {match[0]}")


def _linked(text, target, labels):
    address = labels.get(f"address {target}")
    return f"[{text}]({address})" if address else text


def _cite(name, keys, labels):
    sources = [(labels[key].rpartition(", "), key) for key in keys]
    if name == "cite:t":
        return "; ".join(_linked(f"{authors} ({year})", key, labels) for (authors, _, year), key in sources)
    return f"({'; '.join(_linked(f'{authors}, {year}', key, labels) for (authors, _, year), key in sources)})"


def link(match, labels):
    """A link to another page or label becomes its text, or the title of what it points to."""
    target = match["target"].lstrip("#").removesuffix(".md")
    place = target if target in labels else f"chapters/{target}"
    return _linked(match["text"] or labels[place], place, labels)


def inline(text, labels):
    text = TAGGED.sub(lambda m: rf"\tag{{{labels[m['label']].strip('()')}}} $$", text)
    text = ROLE.sub(lambda m: role(m, labels), text)
    return LINK.sub(lambda m: link(m, labels), text)


def plain(text, labels):
    """MyST Markdown as plain Markdown; `labels` gives the text that stands for a label, a page or a cited work."""
    out, prose, lines = [], [], text.split("\n")

    def flush():
        if prose:
            out.append(inline("\n".join(prose), labels))
            prose.clear()

    while lines:
        line = lines.pop(0)
        opening = FENCE.match(line) or CODE_FENCE.match(line)
        if opening:
            flush()
            fence, body = opening["fence"], []
            while lines and not re.fullmatch(rf"{fence[0]}{{{len(fence)},}}\s*", lines[0]):
                body.append(lines.pop(0))
            closing = lines.pop(0) if lines else fence
            if "name" in opening.groupdict():
                out += directive(opening["name"], opening["title"].strip(), body, labels)
            else:
                out += [line, *body, closing]
        elif not LABEL.match(line) and not line.startswith("% "):
            prose.append(line)
    flush()
    return "\n".join(out).strip("\n")
