"""MyST Markdown as plain Markdown, for notebooks; `labels` has texts of LABEL, "numref LABEL" and "address LABEL"."""

import re

BLOCK = re.compile(  # fenced: a directive if it has a name, else code
    r"^(?P<fence>(?P<sign>[`:~])(?P=sign){2,}+)(?:\{(?P<name>[\w:-]+)\})?[ \t]*(?P<title>.*)\n"
    r"(?P<body>(?:.*\n)*?)(?P=fence)(?P=sign)*[ \t]*$",
    re.MULTILINE,
)
OPTIONS = re.compile(r"(?::[\w-]+:.*\n?)*")
OPTION = re.compile(r"^:(?P<key>[\w-]+):\s*(?P<value>.*)$", re.MULTILINE)
UNSEEN = re.compile(r"^(?:\([\w:-]+\)=[ \t]*|% .*)(?:\n|$)", re.MULTILINE)  # labels and comments
TAGGED = re.compile(r"\$\$[ \t]*\((?P<label>[\w:-]+)\)[ \t]*$", re.MULTILINE)
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?:#[\w:-]+|[\w/.-]+\.md)\)")


def plain(text, labels):
    """MyST Markdown as plain Markdown; KeyError or ValueError if it holds something that has no plain form."""
    made, end = [], 0
    for block in BLOCK.finditer(text):
        made += [inline(text[end : block.start()], labels), directive(block, labels) if block["name"] else block[0]]
        end = block.end()
    return "".join([*made, inline(text[end:], labels)]).strip("\n")


def directive(block, labels):
    """One directive as plain Markdown; ValueError if there is no rule for it."""
    name, title, head = block["name"], block["title"].strip(), OPTIONS.match(block["body"])[0]
    options, body = dict(OPTION.findall(head)), block["body"].removeprefix(head).strip("\n")
    label = labels.get(options.get("label", options.get("name", "")), "")
    if name == "math":
        tag = f"\\tag{{{label.strip('()')}}}\n" if label else ""
        return f"$$\n{body}\n{tag}$$"
    title, body = (title if name == "figure" else inline(title, labels)), plain(body, labels)
    match name:
        case "exercise-end" | "solution-end":
            return ""
        case "container":  # the place of a lab, which only a page has, with what stands there without scripts
            return body
        case "exercise-start":
            return f"**{label}**{f' ({title})' if title else ''}\n\n{body}"
        case "solution-start":
            return f"**Solution to {labels.get(title, 'the exercise')}**\n\n{body}"
        case "figure":
            return f"![{options.get('alt', '')}]({title})\n\n" + f"**{label}** {body}".strip()
        case "guess":
            answers, _, explanation = body.replace("- [x] ", "- ").partition("\n\n")
            hidden = f"<details><summary>The answer</summary>\n\n{explanation}\n\n</details>"
            return f"**Guess first.** {title}\n\n{answers}\n\n{hidden}"
        case "admonition":
            return quote(title, body)
    if name.startswith("prf:"):
        head = label or name.removeprefix("prf:").capitalize()
        return quote(f"{head} ({title})" if title else head, body)
    raise ValueError(f"no plain Markdown for the directive {{{name}}}")


def quote(head, body):
    return "\n".join(f"> {line}".rstrip() for line in [f"**{head}**", "", *body.split("\n")])


def inline(text, labels):
    """Text outside of fences: roles and tags of formulas have their plain forms, labels and comments go."""
    if link := LINK.search(text):
        raise ValueError(f"no plain form of {link[0]}: write a role such as {{ref}}")
    text = TAGGED.sub(lambda match: rf"\tag{{{labels[match['label']].strip('()')}}} $$", UNSEEN.sub("", text))
    return ROLE.sub(lambda match: role(match["role"], match["text"], labels), text)


def role(name, text, labels):
    """One inline role as text, a link where its address is known; KeyError if the label is unknown."""
    if name.startswith("py:"):
        return f"`{text.removeprefix('~')}`"
    if name == "cite":
        return f"({'; '.join(linked(labels[key.strip()], key.strip(), labels) for key in text.split(','))})"
    if name == "cite:t":
        authors, _, year = labels[text].rpartition(", ")
        return linked(f"{authors} ({year})", text, labels)
    words, _, target = text.removesuffix(">").rpartition("<")
    known = labels.get(f"numref {target}" if name == "numref" else target) or labels[target]
    return linked(words.strip().replace("%s", known.split()[-1]) or known, target, labels)


def linked(text, label, labels):
    address = labels.get(f"address {label}")
    return f"[{text}]({address})" if address else text
