/** The marks that make a page runnable: what `readme.ts` reads and what it refuses. */
import { describe, expect, test } from 'vitest'
import { readSteps, requestIn } from './readme.ts'

const PAGE = `
<!-- e2e: run install -->
\`\`\`sh
npm ci
\`\`\`
<!-- e2e: start serve -->
\`\`\`sh
npm start
\`\`\`
<!-- e2e: paste decide serve -->
<!-- e2e: stop end serve -->
<!-- e2e: run refused exit=1 -->
\`\`\`sh
false
true
\`\`\`
`

describe('marks', () => {
  test('are read in order, with their blocks', () => {
    expect(readSteps(PAGE)).toEqual([
      { kind: 'run', name: 'install', script: 'npm ci', exit: 0 },
      { kind: 'start', name: 'serve', script: 'npm start' },
      { kind: 'paste', name: 'decide', from: 'serve' },
      { kind: 'stop', name: 'end', from: 'serve' },
      { kind: 'run', name: 'refused', script: 'false\ntrue', exit: 1 },
    ])
  })

  test.each([
    '<!-- e2e: rum install -->\n```sh\nx\n```',
    '<!-- e2e: run -->\n```sh\nx\n```',
    '<!-- e2e: run install -->\n\n```sh\nx\n```',
    '<!-- e2e: run install -->\n```sh\nx',
    '<!-- e2e:run install -->\n```sh\nx\n```',
    '<!-- e2e: run a -->\n```sh\nx\n```\n<!-- e2e: run a -->\n```sh\nx\n```',
    '<!-- e2e: paste decide -->',
  ])('that cannot be carried out are refused: %j', (page) => {
    expect(() => readSteps(page)).toThrow()
  })

  test('a printed request is taken whole and alone', () => {
    const printed = 'assay listening\n\nTry:\n  curl -i \\\n    -d x \\\n    URL\n\nThen edit\n'
    expect(requestIn(printed)).toBe('  curl -i \\\n    -d x \\\n    URL')
  })
})
