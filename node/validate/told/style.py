"""The style of an interface's page: for a screen, a phone and a printer; nothing is fetched and no script runs."""

STYLE = """
:root { --ink:#1d2733; --soft:#5b6b7c; --line:#d9e0e8; --wash:#f5f7fa; --mark:#0b5cad; --paper:#fff;
  --good:#1a7f4b; --bad:#b3261e; --warn:#8a5a00 }
* { box-sizing:border-box }
html { -webkit-text-size-adjust:100%; scroll-padding-top:1rem }
body { margin:0; background:var(--wash); color:var(--ink); line-height:1.6; font-size:15px;
  font-family:"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",
  "WenQuanYi Micro Hei",system-ui,sans-serif }
main { max-width:1180px; margin:0 auto; padding:0 20px 60px }
header.top { background:var(--mark); color:#fff; padding:30px 0 24px; margin-bottom:24px }
header.top > div { max-width:1180px; margin:0 auto; padding:0 20px }
header.top .en { color:#d3e4f7 } header.top p { margin:.5rem 0 0 }
h1 { margin:0; font-size:1.9rem; line-height:1.25 } h1 .en { font-size:1.05rem; font-weight:400 }
h2 { font-size:1.25rem; margin:2.2rem 0 .8rem; padding-bottom:.35rem; border-bottom:2px solid var(--mark) }
h2 .en { display:inline; margin-left:.6rem; font-size:.95rem; font-weight:400 }
h3 { font-size:1rem; margin:0 } h3 .en { display:inline; margin-left:.5rem; font-weight:400 }
section { background:var(--paper); border:1px solid var(--line); border-radius:8px; padding:2px 20px 18px;
  margin-bottom:18px }
section h2:first-child { margin-top:1rem }
.en { display:block; color:var(--soft); font-size:.86em; line-height:1.45;
  font-family:system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif }
code, pre, .mono { font-family:"Cascadia Mono",Consolas,"DejaVu Sans Mono","Noto Sans Mono CJK SC",monospace;
  font-size:.9em }
code { word-break:break-word } pre { background:var(--wash); border:1px solid var(--line); border-radius:6px;
  padding:12px 14px; overflow-x:auto; margin:.4rem 0 0; line-height:1.5; white-space:pre-wrap; word-break:break-all }
a { color:var(--mark); text-decoration:none } a:hover { text-decoration:underline } header.top a { color:#fff }
nav { display:flex; flex-wrap:wrap; gap:6px 18px; margin:0 0 18px; font-size:.95rem }
nav .en { display:inline; margin-left:.35rem }
dl.facts { display:grid; grid-template-columns:max-content 1fr; gap:6px 22px; margin:.6rem 0 0 }
dl.facts dt { color:var(--soft) } dl.facts dt .en { display:inline; margin-left:.4rem }
  dl.facts dd { margin:0; min-width:0 }
dl.facts dd code { word-break:break-all }
.scroll { overflow-x:auto } table { border-collapse:collapse; width:100%; font-size:.94rem }
th, td { text-align:left; vertical-align:top; padding:8px 10px; border-bottom:1px solid var(--line) }
th { background:var(--wash); font-weight:600; white-space:nowrap } th .en { font-weight:400 }
tr:last-child td { border-bottom:0 } tbody tr:target, .rule:target { background:#fff8e0 }
td.name { white-space:nowrap } td.name code { font-weight:600 } td.deep1 { padding-left:28px }
  td.deep2 { padding-left:46px }
td.deep3 { padding-left:64px } .note { color:var(--soft); font-size:.9em; display:block; margin-top:3px }
.badge { display:inline-block; border-radius:4px; padding:0 7px; font-size:.82rem; line-height:1.55; white-space:nowrap;
  border:1px solid var(--line); background:var(--wash) }
  .badge .en { display:inline; margin-left:.3rem; font-size:.92em }
.must { color:#fff; background:var(--mark); border-color:var(--mark) }
  .must .en, .refuse .en, .warn .en { color:inherit }
.grade3 { color:#8a5a00; background:#fff4d9; border-color:#f0d9a0 }
  .grade4 { color:#b3261e; background:#fde8e6; border-color:#f3c2bd }
.grade3 .en, .grade4 .en { color:inherit }
.refuse { color:var(--bad); background:#fde8e6; border-color:#f3c2bd }
  .warn { color:var(--warn); background:#fff4d9; border-color:#f0d9a0 }
.compatible { color:var(--good) } .widening { color:var(--warn) } .breaking { color:var(--bad) }
.rules a { display:inline-block; margin-right:.5rem }
.rule { border-bottom:1px solid var(--line); padding:12px 0 } .rule:last-child { border-bottom:0; padding-bottom:0 }
.rule .head { display:flex; flex-wrap:wrap; gap:4px 10px; align-items:baseline; margin-bottom:4px }
.pair { display:grid; grid-template-columns:1fr 1fr; gap:12px; margin-top:8px }
.pair > div { border-left:3px solid var(--good); background:var(--wash); padding:6px 12px; min-width:0 }
.pair > div.no { border-left-color:var(--bad) } .pair b { font-weight:600; font-size:.86rem }
  .pair .en { display:inline; margin-left:.3rem }
.pair code { display:block; word-break:break-all } .pair mark { background:#ffd9d5; color:inherit; padding:0 1px }
details { border:1px solid var(--line); border-radius:6px; margin-top:10px }
  details > *:not(summary) { margin:0 14px 12px }
summary { cursor:pointer; padding:8px 14px; font-weight:600 }
  summary .en { display:inline; margin-left:.4rem; font-weight:400 }
.codes { columns:15rem; column-gap:24px; padding:0; list-style:none; font-size:.93rem }
.codes li { break-inside:avoid; display:flex; gap:.6rem; padding:2px 0 }
  .codes code { flex:none; min-width:2.6em; font-weight:600 }
.codes .en { display:inline; margin-left:.3rem }
footer { color:var(--soft); font-size:.88rem; margin-top:24px; word-break:break-all }
ul.plain { padding-left:1.2rem; margin:.6rem 0 0 } ul.plain li { margin-bottom:.45rem }
@media screen and (max-width:760px) {
  main, header.top > div { padding-left:14px; padding-right:14px } section { padding:2px 14px 14px }
  h1 { font-size:1.5rem }
  dl.facts { grid-template-columns:1fr; gap:0 } dl.facts dd { margin-bottom:8px } .pair { grid-template-columns:1fr }
  table.fold thead { display:none } table.fold tr { display:block; padding:10px 0; border-bottom:1px solid var(--line) }
  table.fold td { display:block; border:0; padding:2px 0 } table.fold td:empty { display:none }
  table.fold td[data-label]::before { content:attr(data-label); color:var(--soft); font-size:.82rem;
  display:block; margin-top:4px }
  table.fold td.name::before { content:none } table.fold td.name { font-size:1.05rem }
  td.deep1, td.deep2, td.deep3 { padding-left:0 }
}
@media print {
  @page { margin:14mm 12mm } body { background:#fff; font-size:10pt }
  main, header.top > div { max-width:none; padding:0 }
  header.top { background:#fff; color:#000; border-bottom:2px solid #000; padding:0 0 10px }
  header.top .en { color:#444 }
  section { border:0; padding:0 } nav { display:none } a { color:inherit } pre, .pair > div { background:#fff }
  thead { display:table-header-group } tr, .rule, .pair, li { break-inside:avoid } h2, h3, summary { break-after:avoid }
  table { font-size:8.5pt } th, td { padding:4px 6px } .rule { padding:7px 0 } td .badge .en { display:none }
  details.short::details-content { content-visibility:visible; display:block; height:auto }
  .badge, .pair mark { -webkit-print-color-adjust:exact; print-color-adjust:exact }
}
"""
