"""General word lists that show where a reporter looks for the cause, and how bad it is.

They are tried on words of any theme, in the languages that reports come in most; they name
no product. Weights belong to the evidence table, not here.
"""

from __future__ import annotations

import re

_CODE_WORDS = (
    r"\b(?:parser|regex|template|jinja|schema|serial\w+|tokeni[sz]er|config\w*|default|flag|"
    r"param(?:eter)?|field|header|endpoint|middleware|wrapper|encoder|escap\w+|truncat\w+|"
    r"handler|buffer|chunk|cache|timeout|hard-?coded|proxy|client-side)\b|"
    r"模板|默认|参数|配置|解析"
)
_ELSEWHERE = (
    r"\bworks? (?:fine |well |as expected |as it should |perfectly |correctly )?"
    r"(?:with|in|on|over|through|when|if)\b|"
    r"\b(?:is |are )?(?:fine|correct|normal) (?:in|on|with|when|under|through|over)\b|"
    r"\bother (?:client|engine|server|backend|build)s?\b|正常|没问题|没有问题|"
    r"funktioniert|fonctionne|funciona"
)
_MEASURED = (
    r"\b\d+(?:\.\d+)? ?%|\b\d+ (?:of|out of|/) ?\d+\b|\b\d+/\d+\b|"
    r"\b(?:samples|pass rate|runs)\b"
)
_AFTER_FIX = (
    r"\b(?:still|again|back|returned|not fixed|isn't fixed)\b.{0,40}"
    r"\b(?:after|despite|in spite of|since)\b.{0,20}\b(?:fix|patch|hotfix)\w*|"
    r"\b(?:was|were|supposedly|marked|declared|reported as) (?:already )?(?:fixed|resolved)\b|"
    r"修复后|已经修复|修好了又"
)
_FIX_HINT = (
    r"\b(?:after|by|once|when) (?:i |we |you )?(?:chang\w+|set\w*|switch\w+|replac\w+|downgrad\w+|"
    r"upgrad\w+|revert\w*|patch\w*|swap\w*|rais\w+|increas\w+)\b.{0,80}"
    r"\b(?:works?|worked|gone|fine|fixed|resolved|solved|disappear\w*|correct)\b|"
    r"\b(?:fixed|solved|resolved|works?|helps?|goes away|went away|disappears?) (?:it )?"
    r"(?:by|after|with|once) (?:chang\w+|sett?\w*|switch\w+|replac\w+|downgrad\w+|upgrad\w+|"
    r"revert\w+|patch\w+|another|a different|the old)\b|\bworkaround\b|"
    r"(?:换成|改成|改为|降级|升级|回退).{0,12}(?:就好|正常|没问题|解决)"
)
_DESTRUCTIVE = (
    r"\b(?:delet\w+|eras\w+|wip(?:ed?|es|ing)|overwr\w+|destroy\w*|remov\w+)\b.{0,40}"
    r"\b(?:files?|folders?|director(?:y|ies)|projects?|data(?:base)?s?|tables?|branch\w*|"
    r"histor\w+|repo\w*|home|work|notes|backups?|disk|drive|volumes?)\b|"
    r"\brm -rf?\b|\bforce[- ]push\w*|\breset --hard\b|\bdrop(?:s|ped)? (?:the |a )?"
    r"(?:table|database)\b|\b(?:data loss|lost (?:all |my |our )?(?:work|data|changes|files))\b|"
    r"删(?:除|了|掉).{0,8}(?:文件|目录|数据|项目|仓库)|数据丢失|清空了|覆盖了|"
    r"datenverlust|gelöscht|perte de données|supprimé|pérdida de datos|borró|apagou|削除"
)
_SECURITY = (
    r"\b(?:leak\w*|expos\w+|exfiltrat\w+|publish\w*|print\w*)\b.{0,40}"
    r"\b(?:passwords?|credentials?|api[- ]keys?|secrets?|access tokens?|private keys?|"
    r"personal data|customer data)\b|\bremote code execution\b|\bvulnerabilit\w+|"
    r"\bsecurity (?:hole|bug|issue|flaw|incident)\b|\bprompt injection\b|"
    r"\bsandbox (?:escape|bypass)\w*|泄露|漏洞|密钥"
)
_CONSENT = r"\bwithout (?:my |any |the )?(?:approval|permission|consent)\b|未经(?:允许|授权|许可)"
_HARM = (
    r"\bself[- ]harm\b|\bsuicid\w+|\boverdose\b|\b(?:dangerous|lethal|toxic) (?:dose|dosage|advice)"
    r"\b|\bchild (?:safety|abuse)\b|自杀|自残"
)

_FLAGS = re.IGNORECASE
NAMES_SOFTWARE = re.compile(_CODE_WORDS, _FLAGS)
WORKS_ELSEWHERE = re.compile(_ELSEWHERE, _FLAGS)
GIVES_FIGURES = re.compile(_MEASURED, _FLAGS)
HINTS_AT_A_FIX = re.compile(_FIX_HINT, _FLAGS)
AFTER_A_FIX = re.compile(_AFTER_FIX, _FLAGS)
SECURITY = re.compile(_SECURITY, _FLAGS)
HARM = re.compile(_HARM, _FLAGS)

# What makes a failure severe, by the word under which a reader sees it.
SEVERITY = {
    "destroyed or lost data": re.compile(_DESTRUCTIVE, _FLAGS),
    "security or overridden consent": re.compile(f"{_SECURITY}|{_CONSENT}", _FLAGS),
    "harm to people": HARM,
}


def severities(text: str) -> tuple[str, ...]:
    """The kinds of severe harm that a text speaks of."""
    return tuple(kind for kind, pattern in SEVERITY.items() if pattern.search(text))
