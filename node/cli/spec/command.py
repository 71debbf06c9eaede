"""The commands under `spec`, in the order a person meets them."""

from __future__ import annotations

from node.cli.grammar import Group
from node.cli.spec import check, diff, doc, look, samples
from node.model.sentence import Sentence

spec = Group("spec", says=Sentence(
    "接口规范：查看、检查、比较、样例、文档", "interface specifications: look, check, compare, samples, documents"))
for each in (look.listed, look.show, check.check, diff.diff, look.schema, samples.samples, doc.doc):
    spec.add_command(each)
