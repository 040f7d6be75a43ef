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
    if name == "math":
        return ["$$", body, *([rf"\tag{{{label.strip('()')}}}"] if label else []), "$$"]
    title, body = (title if name == "figure" else inline(title, labels)), plain(body, labels)
    match name:
        case "exercise-end" | "solution-end":
            return []
        case "container":  # the place of a lab, which only a page has, with what stands there without scripts
            return [body]
        case "exercise-start":
            return [f"**{label}**{f' ({title})' if title else ''}", "", body]
        case "solution-start":
            return [f"**Solution to {labels.get(title, 'the exercise')}**", "", body]
        case "figure":
            return [f"![{options.get('alt', '')}]({title})", "", f"**{label}** {body}".strip()]
        case "guess":
            answers, _, explanation = body.replace("- [x] ", "- ").partition("\n\n")
            hidden = ["<details><summary>The answer</summary>", "", explanation, "", "</details>"]
            return [f"**Guess first.** {title}", "", answers, "", *hidden]
        case "note":  # what follows the name on the first line is text, not a title
            return quote("Note", "\n".join(filter(None, [title, body])))
        case "admonition":
            return quote(title, body)
    if name.startswith("prf:"):
        head = label or name.removeprefix("prf:").capitalize()
        return quote(f"{head} ({title})" if title else head, body)
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
