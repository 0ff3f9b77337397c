/** A difference between policies as one page without scripts, for people who sign a change off: opens from a file, prints, and can be read aloud. */
import type { Changed } from '../../adapters/lint/index.ts'
import type { Flip, Flips } from '../../adapters/shadow/flips.ts'
import { isFlip } from '../../adapters/shadow/report.ts'
import type { PolicyDiff } from './diff.ts'
import { CHANGES, NOT_REPLAYED, reasonNames } from './diff-lines.ts'
import { STYLE } from './diff-style.ts'

export function diffPage(diff: PolicyDiff): string {
  const { after, before, changes, replay } = diff
  const title = `Policy change: ${before.name} to ${after.name}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="assay policy diff">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kind">Policy change</p>
<h1>${code(before.name)} <span aria-hidden="true">&rarr;</span><span class="aside"> to </span> ${code(after.name)}</h1>
${digests(diff)}
</header>
${replay === undefined ? '' : replaySections(replay)}
<section aria-labelledby="text"><h2 id="text">What changed in the text</h2>
${
  Object.entries(changes)
    .map(([what, changed]) => changedTable(what, changed))
    .join('') || '<p>No rule, reason, entry point or data differs.</p>'
}
</section>
</main>
</body>
</html>
`
}

function digests({ after, before }: PolicyDiff): string {
  const rows = [
    ['Before', before],
    ['After', after],
  ] as const
  if (before.digest === undefined) return ''
  const items = rows.map(
    ([name, side]) =>
      `<div><dt>${name}</dt><dd>rules ${code(side.digest ?? '')}<br>data ${code(side.revision ?? '')}</dd></div>`,
  )
  return `<dl>${items.join('')}</dl>`
}

function replaySections({ drifted, flips, from, notReplayed, replayed, to }: Flips): string {
  const [toDeny, toAllow] = (['allow_to_deny', 'deny_to_allow'] as const).map((change) =>
    flips.filter((flip) => flip.change === change).reduce((sum, { count }) => sum + count, 0),
  )
  const period =
    from === undefined || to === undefined ? '' : `, made from ${time(from)} to ${time(to)}`
  const flipping = flips.filter(isFlip)
  const others = flips.filter((flip) => !isFlip(flip))
  return `<section aria-labelledby="sum"><h2 id="sum">Recorded decisions, decided again</h2>
<ul class="sums">
<li><strong>${replayed}</strong> decided again${period}</li>
<li class="${toDeny ? 'deny' : ''}"><strong>${toDeny}</strong> allowed before, denied after</li>
<li class="${toAllow ? 'allow' : ''}"><strong>${toAllow}</strong> denied before, allowed after</li>
</ul>
${drifted > 0 ? `<p class="warning">${drifted} of them the first policy decides otherwise than they are on record: it is not the one that was live, or its data is other data.</p>` : ''}
${flipTable('Verdicts that flip', flipping) || '<p>No verdict flips.</p>'}
${flipTable('Same verdict, other answer', others)}
${lostTable(notReplayed)}
</section>`
}

function flipTable(caption: string, flips: readonly Flip[]): string {
  if (flips.length === 0) return ''
  const heads = ['Change', 'Decisions', 'Action', 'Reasons before', 'Reasons after', 'Examples']
  return table(caption, heads, flips.map(flipRow))
}

function flipRow(flip: Flip): string {
  const { action, after, before, change, count, examples, input, share } = flip
  const shown =
    input === undefined
      ? ''
      : `<details><summary>Input of the first</summary><pre>${escaped(pretty(input))}</pre></details>`
  const ids = examples.map((id) => `<li>${code(id)}</li>`).join('')
  return `<tr class="${change}"><th scope="row">${escaped(CHANGES[change])}</th><td class="number">${count} <small>(${(share * 100).toFixed(1)}%)</small></td><td>${code(action)}</td><td>${escaped(reasonNames(before))}</td><td>${escaped(reasonNames(after))}</td><td><ul class="ids">${ids}</ul>${shown}</td></tr>`
}

function lostTable(lost: Flips['notReplayed']): string {
  if (lost.length === 0) return ''
  const rows = lost.map(
    ({ count, examples, why }) =>
      `<tr><th scope="row">${NOT_REPLAYED[why]}</th><td class="number">${count}</td><td><ul class="ids">${examples.map((id) => `<li>${code(id)}</li>`).join('')}</ul></td></tr>`,
  )
  return table('Not decided again', ['Why', 'Decisions', 'Examples'], rows)
}

function changedTable(what: string, { added, changed, removed }: Changed): string {
  const rows = [
    ...added.map((name) => ['added', name] as const),
    ...removed.map((name) => ['removed', name] as const),
    ...changed.map((name) => ['changed', name] as const),
  ].map(
    ([how, name]) => `<tr class="${how}"><th scope="row">${how}</th><td>${code(name)}</td></tr>`,
  )
  return rows.length === 0
    ? ''
    : table(what[0]!.toUpperCase() + what.slice(1), ['Change', 'Name'], rows)
}

function table(caption: string, heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join('')
  // A wide table scrolls by itself, with the keyboard too.
  return `<div class="wide" role="region" aria-label="${escaped(caption)}" tabindex="0"><table><caption>${escaped(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>
`
}

function code(text: string): string {
  return `<code>${escaped(text)}</code>`
}

function time(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString().replace('.000', '')
  return `<time datetime="${text}">${text}</time>`
}

function pretty(json: string): string {
  return JSON.stringify(JSON.parse(json), undefined, 2)
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Control characters, and those that turn the writing direction, are shown as what they are. */
export function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
    .replace(
      /(?!\n)[\p{Cc}\p{Cf}]/gu,
      (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
    )
}
