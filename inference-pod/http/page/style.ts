/** The page's look: system fonts, light and dark, from a phone's width on. Nothing is loaded from anywhere. */
export const style = `
:root{color-scheme:light dark;--ground:#f6f7f9;--card:#fff;--ink:#1b1f27;--soft:#5a6375;--line:#dde1e8;--code:#f1f3f7;--accent:#1a5fd0;--on-accent:#fff;--good:#1a7f4b;--bad:#b3261e;--wait:#9a6200}
@media (prefers-color-scheme:dark){:root{--ground:#12151b;--card:#1a1f28;--ink:#e6e9ef;--soft:#9aa4b6;--line:#2d3440;--code:#12161d;--accent:#7db0ff;--on-accent:#0b1730;--good:#55c98e;--bad:#ff8a80;--wait:#f0b44c}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0 0 .75rem}
p{margin:0 0 .75rem}
a{color:var(--accent)}
code,pre,textarea{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
header{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin-bottom:.5rem}
.state{display:inline-flex;align-items:center;gap:.5rem;font-weight:600;font-size:.9rem;padding:.15rem .7rem;border-radius:99rem;border:1px solid currentColor;color:var(--wait)}
.state::before{content:"";width:.55rem;height:.55rem;border-radius:50%;background:currentColor}
.state.ready{color:var(--good)}
.facts{display:flex;flex-wrap:wrap;gap:.15rem 1.5rem;margin:0 0 1.5rem;color:var(--soft);font-size:.9rem}
.facts div{display:flex;gap:.4rem;min-width:0}
.facts dt::after{content:":"}
.facts dd{margin:0;color:var(--ink);min-width:0;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:1.1rem 1.25rem;margin-bottom:1.1rem;min-width:0}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 1.1rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th{font-weight:500;color:var(--soft);font-size:.85rem}
th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
td:first-child{overflow-wrap:anywhere}
td code{white-space:nowrap}
td:first-child code{white-space:pre-wrap}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr));gap:.9rem 1.25rem;margin:0}
.figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.figures dt{color:var(--soft);font-size:.85rem;line-height:1.3}
.figures dd{margin:0;font-size:1.3rem;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.3}
.hint{color:var(--soft);font-size:.88rem;margin:.6rem 0 0;overflow-wrap:anywhere}
#why:not(:empty){margin:0 0 .6rem}
td .hint{margin:.1rem 0 0}
h2+.hint,.hint:empty{margin:0}
label{display:block;font-size:.9rem;color:var(--soft);margin-bottom:.35rem}
textarea{display:block;width:100%;min-height:12rem;max-height:36rem;field-sizing:content;resize:vertical;padding:.75rem;border:1px solid var(--line);border-radius:.5rem;background:var(--code);color:var(--ink);tab-size:2}
pre{margin:0;padding:.75rem;border-radius:.5rem;background:var(--code);border:1px solid var(--line);overflow:auto;max-height:30rem;white-space:pre-wrap;overflow-wrap:anywhere}
pre:focus-visible,textarea:focus-visible,button:focus-visible,a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.buttons{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin-top:.75rem}
button{font:inherit;font-size:.92rem;font-weight:600;padding:.45rem 1.1rem;border-radius:.5rem;border:1px solid var(--line);background:transparent;color:var(--ink);cursor:pointer}
button.main{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
button:disabled{opacity:.55;cursor:default}
.result{margin-top:1rem}
.result p{margin:0 0 .4rem;font-weight:600}
.result p.good{color:var(--good)}
.result p.bad{color:var(--bad)}
.title{display:flex;justify-content:space-between;align-items:center;gap:1rem;margin-bottom:.75rem}
.title h2{margin:0}
.title button{padding:.2rem .8rem}
kbd{font:inherit;font-size:.82rem;color:var(--soft)}
footer{color:var(--soft);font-size:.88rem;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
[hidden]{display:none!important}
@media (max-width:46rem){main{padding:1.25rem .9rem 2rem}.pair{display:block}section{padding:.95rem 1rem}h1{font-size:1.45rem}}
@media (pointer:coarse),(max-width:30rem){kbd{display:none}}
`;
