/** How the page of a difference looks: light, dark, narrow and on paper. Change is never told by colour alone. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1f; --soft: #55565e; --line: #d4d5db; --paper: #ffffff; --band: #f4f4f7; --deny: #a3121f; --allow: #7a4b00; --fine: #155e2f }
@media (prefers-color-scheme: dark) { :root { --text: #ececf1; --soft: #b0b1bb; --line: #43444d; --paper: #17171b; --band: #212127; --deny: #ff9aa2; --allow: #ffc766; --fine: #86dba4 } }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 80rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 1.6rem; margin: 0 0 1rem; overflow-wrap: anywhere } h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem }
.kind { margin: 0; color: var(--soft); text-transform: uppercase; letter-spacing: .08em; font-size: .8rem }
.aside { position: absolute; clip-path: inset(50%); height: 1px; width: 1px; overflow: hidden }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere }
dl { display: grid; gap: .5rem; margin: 0; color: var(--soft) } dl div { display: grid; grid-template-columns: 5rem 1fr } dd { margin: 0 }
.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: 1rem; list-style: none; padding: 0 }
.sums li { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; background: var(--band) }
.sums strong { display: block; font-size: 2rem; line-height: 1.2 } .sums .deny strong { color: var(--deny) } .sums .allow strong { color: var(--allow) }
.warning { border-left: .25rem solid var(--allow); padding: .5rem 1rem; background: var(--band) }
.wide { overflow-x: auto; margin: 1.25rem 0 } .wide:focus-visible { outline: 3px solid currentColor; outline-offset: 2px }
table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: 600; padding: .25rem 0 .5rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; border-bottom: 1px solid var(--line) } thead th { background: var(--band) }
tbody th { font-weight: 600; white-space: nowrap; width: 1% } td > code, time { white-space: nowrap } .number { white-space: nowrap; font-variant-numeric: tabular-nums } small { color: var(--soft) }
.allow_to_deny th, .removed th { color: var(--deny) } .deny_to_allow th, .changed th { color: var(--allow) } .added th { color: var(--fine) }
.ids { margin: 0; padding-left: 1.1rem } summary { cursor: pointer } pre { background: var(--band); padding: .75rem; max-height: 24rem; overflow: auto; white-space: pre-wrap }
@media print { main { padding: 0 } .wide { overflow: visible } }
`
