/* What the HTML page carries inline: its style sheet and its script. No font,
 * picture or script comes from elsewhere. Called by html.c. */
#include "report/page.h"

/* One rule or a few a row: ISO C limits the length of one literal. */
static const char *const css[] = {
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1d2530;--mute:#5f6b7a;"
    "--line:#dfe4ea;--soft:#f5f7f9;--blue:#2b6cb0;--good:#23794a;"
    "--bad:#b13a32;--warn:#a06a12;--p1:#9db8d6;--p2:#b9a7d9;--p3:#e3c48b;"
    "--p4:#94c9aa;--tip:#1d2530;--tipink:#fff}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#14181d;--ink:#e4e8ed;"
    "--mute:#98a3b0;--line:#2c343d;--soft:#1b2127;--blue:#6ea8e6;"
    "--good:#5dbd86;--bad:#e57b73;--warn:#d9a548;--p1:#3c5f86;--p2:#63528c;"
    "--p3:#84682f;--p4:#3b7553;--tip:#e4e8ed;--tipink:#14181d}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 "
    "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,"
    "sans-serif;font-variant-numeric:tabular-nums}\n",
    "main{max-width:1060px;margin:0 auto;padding:36px 28px 80px}\n",
    "h1{font-size:28px;line-height:1.2;margin:2px 0 14px;font-weight:650;"
    "letter-spacing:-.01em}\n",
    "h2{font-size:19px;margin:46px 0 6px;padding-top:16px;font-weight:650;"
    "border-top:1px solid var(--line)}\n",
    "h3{font-size:14px;margin:24px 0 6px;font-weight:650}\n",
    "p{margin:6px 0 12px;max-width:76ch}p.meta{max-width:none}\n",
    ".note,.kicker,figcaption{color:var(--mute);font-size:13px}\n",
    ".kicker{font-weight:600;letter-spacing:.04em;text-transform:uppercase;"
    "font-size:12px}\n",
    ".verdict{border-left:4px solid var(--mute);background:var(--soft);"
    "padding:13px 18px;margin:14px 0 18px;font-size:17px;border-radius:0 6px "
    "6px 0}\n",
    ".verdict{color:var(--ink)!important}.verdict.good{border-color:var(--good)"
    "}.verdict.warn{border-color:"
    "var(--warn)}.verdict.bad{border-color:var(--bad)}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,"
    "1fr));gap:10px;margin:18px 0 4px}\n",
    ".tile{border:1px solid var(--line);border-radius:8px;padding:11px 14px}\n",
    ".tile b{display:block;font-size:19px;font-weight:650;line-height:1.3;"
    "white-space:nowrap}\n",
    ".tile "
    "i{font-style:normal;font-size:11.5px;white-space:nowrap;margin-right:-8px;"
    "display:inline-block}\n",
    ".tile span{color:var(--mute);font-size:12.5px;display:block;"
    "line-height:1.4}\n",
    "table{border-collapse:collapse;width:100%;margin:8px 0 16px;"
    "font-size:13.5px}\n",
    "th{text-align:left;font-weight:600;color:var(--mute);font-size:12.5px;"
    "border-bottom:1px solid var(--mute);padding:5px 12px 5px 0;"
    "vertical-align:bottom}\n",
    "td{border-bottom:1px solid var(--line);padding:6px 12px 6px 0;"
    "vertical-align:top}\n",
    "td.n,th.n{text-align:right;white-space:nowrap}\n",
    "td.w{white-space:nowrap}\n", "tr.hit td{background:var(--soft)}\n",
    "code,pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace}\n",
    "pre{background:var(--soft);border:1px solid var(--line);border-radius:"
    "6px;padding:12px 14px;overflow-x:auto;white-space:pre-wrap;"
    "overflow-wrap:anywhere;margin:8px 0 16px}\n",
    "td,p,li,.verdict{overflow-wrap:anywhere}\n",
    "a{color:var(--blue);text-decoration:none}a:hover{text-decoration:"
    "underline}\n",
    "details{margin:8px 0 14px}\n",
    "summary{cursor:pointer;color:var(--blue);font-size:14px}\n",
    "figure{margin:12px 0 18px}\n",
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:24px}\n",
    "table.ideas{table-layout:fixed}\n",
    "@media(max-width:820px){main{padding:20px 16px 60px}.pair{"
    "grid-template-columns:1fr}figure{overflow-x:auto}figure>svg{min-width:"
    "760px}.pair svg{min-width:0}table{display:block;overflow-x:auto}"
    "td,th{min-width:64px}table.ideas{table-layout:auto}table.ideas td{"
    "min-width:150px}}\n",
    ".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}"
    ".mute{color:var(--mute)}\n",
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px;"
    "margin:4px 0 10px;font-size:13.5px}dt{color:var(--mute)}dd{margin:0;"
    "overflow-wrap:anywhere}\n",
    /* plots */
    "svg{display:block;width:100%;height:auto;overflow:visible}\n",
    "svg text{font-size:12.5px;fill:var(--ink)}\n",
    "svg .tick,svg .mutetext,svg .head{fill:var(--mute);font-size:12px}\n",
    "svg .title{fill:var(--mute);font-size:12.5px}\n",
    "svg .lab{paint-order:stroke;stroke:var(--bg);stroke-width:2.5px}\n",
    "svg .small{font-size:11.5px}\n",
    "svg .id{font-weight:650}svg .num{font-weight:550}\n",
    ".grid{stroke:var(--line);stroke-width:1}\n",
    ".axis{stroke:var(--mute);stroke-width:1}\n",
    ".zero{stroke:var(--mute);stroke-width:1.2}\n",
    ".mark{stroke:var(--mute);stroke-width:1;stroke-dasharray:4 4}\n",
    ".ruler{stroke:var(--ink);stroke-width:1.2}\n",
    ".thin{stroke:var(--line);stroke-width:1.4}\n",
    ".pred{stroke:var(--mute);stroke-width:1.4;fill:none}\n",
    ".preddot{fill:var(--bg);stroke:var(--mute);stroke-width:1.4}\n",
    ".meas{stroke-width:2.6;fill:none;stroke-linecap:round}\n",
    "path.meas{stroke-width:1.6}\n",
    ".measdot{stroke:var(--bg);stroke-width:1.4}\n",
    ".meas.good{stroke:var(--good)}.meas.bad{stroke:var(--bad)}"
    ".meas.warn{stroke:var(--warn)}.meas.mute{stroke:var(--mute)}"
    ".meas.blue{stroke:var(--blue)}\n",
    ".measdot.good,svg .vtext.good,svg .proved"
    "{fill:var(--good)}\n",
    ".measdot.bad,svg .vtext.bad{fill:var(--bad)}\n",
    ".measdot.warn,svg .vtext.warn{fill:var(--warn)}\n",
    ".measdot.mute,svg .vtext.mute,svg .vtext.add,svg .vtext.unc"
    "{fill:var(--mute)}\n",
    "svg .vtext.syn,svg .vtext.con{font-weight:650}\n",
    ".measdot.blue{fill:var(--blue)}\n",
    ".row{fill:transparent}.row:hover{fill:var(--mute);fill-opacity:.09}\n",
    ".band{fill:var(--blue);fill-opacity:.12}\n",
    ".cband{fill:var(--blue);fill-opacity:.14}\n",
    ".curve{fill:none;stroke:var(--blue);stroke-width:2}\n",
    ".lane{fill-opacity:.16}\n",
    ".p1{fill:var(--p1)}.p2{fill:var(--p2)}.p3{fill:var(--p3)}"
    ".p4{fill:var(--p4)}.p0{fill:var(--line)}\n",
    ".span.failed{fill:var(--bg);stroke:var(--bad);stroke-width:1.4}\n",
    ".span.eval{fill-opacity:.55}\n",
    ".span.reserved{fill:var(--mute);fill-opacity:.45}\n",
    ".span.free{fill:var(--soft);stroke:var(--line);stroke-width:1}\n",
    "svg .spanid{font-size:11px;pointer-events:none}"
    "svg .spanid.failed{fill:var(--bad)}\n",
    ".wake{fill:var(--ink)}\n",
    ".gate{stroke:var(--warn);stroke-width:1.2;stroke-dasharray:3 3}"
    ".gatedot{fill:var(--warn)}\n",
    ".cell.plus{fill:var(--good)}.cell.minus{fill:var(--bad)}"
    ".cell.none{fill:var(--soft)}.cell.own{fill:var(--line)}\n",
    "#tip{position:fixed;z-index:9;display:none;max-width:340px;padding:7px "
    "10px;border-radius:5px;background:var(--tip);color:var(--tipink);"
    "font-size:12.5px;line-height:1.45;white-space:pre-line;"
    "pointer-events:none;overflow-wrap:anywhere}\n",
    "@page{size:A4;margin:14mm}\n",
    "@media print{:root{color-scheme:light;--bg:#fff;--ink:#1d2530;"
    "--mute:#5f6b7a;--line:#dfe4ea;--soft:#f5f7f9;--blue:#2b6cb0;"
    "--good:#23794a;--bad:#b13a32;--warn:#a06a12;--p1:#9db8d6;--p2:#b9a7d9;"
    "--p3:#e3c48b;--p4:#94c9aa}"
    "*{-webkit-print-color-adjust:exact;print-color-adjust:exact}"
    "body{font-size:11.5px}main{max-width:none;padding:0}h1{font-size:22px}"
    "h2{font-size:15px;margin-top:24px;padding-top:10px;break-after:avoid}"
    "h3{break-after:avoid}figure,tr,.tile,pre,.verdict{break-inside:avoid}"
    "code,pre{font-size:10px}.note,.kicker,figcaption{font-size:10.5px}"
    "table{font-size:10.5px}.tile b{font-size:16px}"
    ".tiles{grid-template-columns:repeat(3,1fr)}"
    "details:not([open]):not(.paper),.screen,summary{display:none}.paper::"
    "details-content{content-visibility:visible;display:block}h2+p{break-after:"
    "avoid}p{orphans:3;widows:3}"
    ".pair{grid-template-columns:1fr 1fr}figure>svg{min-width:0!important}"
    "#tip{display:none!important}}\n"};

static const char js[] =
    "(function(){var t=document.getElementById('tip');"
    "function show(e){var m=e.target.closest?e.target.closest('[data-tip]'):"
    "null;if(!m){t.style.display='none';return}"
    "t.textContent=m.getAttribute('data-tip');t.style.display='block';"
    "var w=t.offsetWidth,h=t.offsetHeight,x=e.clientX+14,y=e.clientY+16;"
    "if(x+w>innerWidth-8)x=Math.max(8,e.clientX-w-12);"
    "if(y+h>innerHeight-8)y=Math.max(8,e.clientY-h-12);"
    "t.style.left=x+'px';t.style.top=y+'px'}"
    "document.addEventListener('mousemove',show);"
    "document.addEventListener('scroll',function(){t.style.display='none'})"
    "var d=document.querySelectorAll('details.paper'),was=[];"
    "addEventListener('beforeprint',function(){was=[].map.call(d,function(x)"
    "{var o=x.open;x.open=true;return o})});"
    "addEventListener('afterprint',function(){[].forEach.call(d,function(x,i)"
    "{x.open=was[i]})})"
    "})();\n";

void
page_css(struct buf *out)
{
    for (size_t i = 0; i < sizeof(css) / sizeof(css[0]); i++)
        buf_puts(out, css[i]);
}

void
page_js(struct buf *out)
{
    buf_puts(out, js);
}
