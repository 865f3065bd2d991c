"""The look of the report's page: one style sheet, light and dark by the reader's setting."""

STYLE = """
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--ink:#1f2430;--dim:#5b6575;--line:#dfe3e9;
--best:#2f6fb3;--bar:#c9791d;--faint:#d9c3a5;--good:#1c7c4a;--goodbg:#e5f4ec;--unsure:#8a5a00;
--unsurebg:#fdf1d8;--bad:#a52a2a;--badbg:#fbe7e7;--code:#f2f4f7}
@media (prefers-color-scheme:dark){:root{--page:#12151b;--card:#1a1f29;--ink:#e8ecf3;--dim:#a3adbd;
--line:#323a48;--best:#6ea8e6;--bar:#e8a44f;--faint:#6b5230;--good:#7fd6a6;--goodbg:#16301f;
--unsure:#f0c46a;--unsurebg:#352a12;--bad:#f09a9a;--badbg:#3a1b1b;--code:#12161e}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:16px}
main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.5rem;line-height:1.25;margin:.1em 0 0;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .4em}
h3{font-size:1rem;margin:1.4em 0 .4em}
p{margin:.4em 0}
.over,.dim{color:var(--dim)}
.over{font-size:.9rem;margin:0;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;
margin-top:18px;min-width:0;overflow-wrap:anywhere}
.pair{display:grid;gap:18px;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr))}
.pair .card{margin-top:0}
.pair{margin-top:18px}
.pair .card:last-child:nth-child(odd){grid-column:1/-1}
.hero{display:grid;gap:10px 34px;grid-template-columns:repeat(auto-fit,minmax(min(400px,100%),1fr));
align-items:center}
.score{font-size:3.2rem;font-weight:700;line-height:1.05;font-variant-numeric:tabular-nums;
letter-spacing:-.02em}
.score small{font-size:1.05rem;font-weight:500;letter-spacing:0;color:var(--dim)}
.verdict{border-radius:8px;padding:10px 14px;margin:14px 0 0;font-weight:500}
.good{color:var(--good);background:var(--goodbg)}.unsure{color:var(--unsure);background:var(--unsurebg)}
.bad{color:var(--bad);background:var(--badbg)}
.asked{margin:16px 0 0;padding:14px 0 0;border-top:1px solid var(--line);display:grid;gap:6px 14px;
grid-template-columns:max-content 1fr}
.asked dt{color:var(--dim)}.asked dd{margin:0}
@media (max-width:640px){.asked{grid-template-columns:1fr}.asked dd{margin-bottom:6px}.score{
font-size:2.5rem}}
ul{margin:.3em 0;padding-left:1.2em}
.scroll{overflow-x:auto}
.scroll>svg{display:block;margin:0 auto}
pre{background:var(--code);border:1px solid var(--line);border-radius:8px;padding:14px 16px;overflow-x:auto;
font-size:.86rem;line-height:1.5;margin:.6em 0 0;
font-family:ui-monospace,"Cascadia Code",Menlo,"DejaVu Sans Mono",monospace;overflow-wrap:normal}
code{font-family:ui-monospace,"Cascadia Code",Menlo,"DejaVu Sans Mono",monospace;font-size:.86em}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--dim);text-align:left;white-space:nowrap}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;white-space:nowrap}
td.w{white-space:nowrap}
summary{cursor:pointer;color:var(--best);margin-top:.7em}
.chart{display:block;width:100%;max-width:600px;margin:6px auto 0;font-size:12px}
.square{max-width:400px}
.chart text{fill:var(--ink)}.chart .dim{fill:var(--dim)}.chart .strong{font-weight:600;font-size:13px}
.chart .grid{stroke:var(--line)}.chart .axis{stroke:var(--dim)}
.chart .best{stroke:var(--best)}.chart .base{stroke:var(--bar)}
.chart .wide{stroke-width:5;stroke-opacity:.4;stroke-linecap:round}
.chart .dot{stroke:var(--card);stroke-width:1.5}.chart .best.dot{fill:var(--best)}.chart .base.dot{
fill:var(--bar)}
.chart .line{fill:none;stroke-width:2}.chart .thin{fill:none;stroke-width:1.5}.chart .ahead{
stroke-dasharray:5 4}
.chart .try{fill:var(--dim);fill-opacity:.45}.chart .lost{fill:none;stroke:var(--bad);stroke-width:1.3}
.chart .bar{fill:var(--bar)}.chart .faint{fill:var(--faint)}
.chart .whisker{fill:none;stroke:var(--ink);stroke-width:1.2}
.chart .diagonal{stroke:var(--dim);stroke-dasharray:4 4}
footer{overflow-wrap:anywhere;color:var(--dim);font-size:.88rem;margin-top:22px}
@media print{body{background:none}.card{break-inside:avoid}}
"""
