/**
 * The Containerfile without a container: its instructions are carried out one by one on two empty folders, one a stage, and what they give is
 * started as the image would start it: as its user, over files which that user cannot write. The base image is this machine.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { NODE } from '../installed.ts'
import { freePort, Program } from '../proxies.ts'
import { readText, repositoryFiles, root } from '../source.ts'

interface Instruction {
  readonly name: string
  readonly rest: string
}

/** Each stage's instructions, by the stage's name or its number. */
function readStages(text: string): ReadonlyMap<string, readonly Instruction[]> {
  const stages = new Map<string, Instruction[]>()
  let stage: Instruction[] = []
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, name = '', rest = ''] = line.match(/^([A-Z]+)\s+(.*)$/) ?? []
    if (name === 'FROM') {
      stage = []
      stages.set(rest.match(/ AS (\w+)$/)?.[1] ?? String(stages.size), stage)
    } else stage.push({ name, rest })
  }
  return stages
}

const stages = readStages(readText('Containerfile'))
const folder = mkdtempSync(join(tmpdir(), 'assay-container-'))
const isRoot = process.getuid?.() === 0
const PATH = `${join(folder, 'bin')}:${process.env.PATH}`
let port = 0

/** An absolute path of a stage as one below the test's folder. */
function placed(stage: string, text: string): string {
  return text.replace(/(^|[\s"'=])(\/(?:src|app|data|etc)\b)/g, `$1${join(folder, stage)}$2`)
}

function only(stage: string, name: string): string {
  const found = stages.get(stage)?.filter((each) => each.name === name) ?? []
  expect(found.length, name).toBe(1)
  return found[0]?.rest ?? ''
}
const listed = (text: string): string[] => JSON.parse(text.slice(text.indexOf('[')))

function carryOut(stage: string): void {
  let cwd = join(folder, stage)
  mkdirSync(cwd, { recursive: true })
  for (const { name, rest } of stages.get(stage) ?? []) {
    if (name === 'WORKDIR') {
      cwd = placed(stage, rest)
      mkdirSync(cwd, { recursive: true })
    } else if (name === 'COPY') copy(stage, rest, cwd)
    else if (name === 'RUN') {
      // Who is not root can make files for nobody else.
      const command = isRoot ? rest : rest.replace('-o 1000 -g 1000', '')
      execFileSync('sh', ['-euc', placed(stage, command)], { cwd, env: { ...process.env, PATH } })
    }
  }
}

/** `. .` is the build context without what .dockerignore names: the files that a clone has. */
function copy(stage: string, rest: string, cwd: string): void {
  const [from, to = ''] = rest.replace(/^--from=(\w+) /, '').split(' ')
  const source = rest.match(/^--from=(\w+)/)?.[1]
  if (source !== undefined) {
    cpSync(placed(source, from as string), placed(stage, to), { recursive: true })
    return
  }
  expect([from, to]).toEqual(['.', '.'])
  const ignored = readText('.dockerignore').split('\n')
  for (const path of repositoryFiles()) {
    if (ignored.includes(path.split('/')[0] as string)) continue
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    cpSync(join(root, path), join(cwd, path))
  }
}

/** What the image would run, as its user where that is possible. */
function asUser(argv: readonly string[]): readonly [string, string[]] {
  const [command = '', ...args] = argv.map((each) => placed('1', each))
  const [uid, gid] = only('1', 'USER').split(':')
  expect([uid, gid]).toEqual(['1000', '1000'])
  const as = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--']
  return isRoot ? ['setpriv', [...as, command, ...args]] : [command, args]
}

let server: Program | undefined

beforeAll(async () => {
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'bin'))
  copyFileSync(NODE, join(folder, 'bin', 'node'))
  for (const stage of stages.keys()) carryOut(stage)
  execFileSync('chmod', ['-R', 'a-w', join(folder, '1', 'app')])
  mkdirSync(join(folder, '1/etc/assay'), { recursive: true })
  port = await freePort()
  writeFileSync(join(folder, '1/etc/assay/assay.yaml'), `http: { port: ${port} }\n`)
  const argv = [...listed(only('1', 'ENTRYPOINT')), ...listed(only('1', 'CMD'))]
  const [command, args] = asUser(argv)
  server = new Program(command, args, join(folder, '1/data'), { PATH, NODE_ENV: 'production' })
  await server.listening(port)
}, 300_000)
afterAll(async () => {
  await server?.stop()
  execFileSync('chmod', ['-R', 'u+w', folder])
  rmSync(folder, { recursive: true })
})

/** The exit code of the image's health check against a port. */
function health(at: number): number | null {
  const argv = listed(only('1', 'HEALTHCHECK')).map((each) => each.replace('8180', String(at)))
  const [command, args] = asUser(argv)
  return spawnSync(command, args, { env: { ...process.env, PATH } }).status
}

test('it serves as a user that can write its data only', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'user', id: 'nobody' },
      action: { name: 'read' },
      resource: { type: 'document', id: 'none' },
    }),
  })
  expect([response.status, await response.json()]).toEqual([200, { decision: false }])
})

test('the health check tells a server that is ready from one that is not there', async () => {
  expect(health(port)).toBe(0)
  expect(health(await freePort())).toBe(1)
})

test('nothing that only development needs is in the image', () => {
  const has = (path: string): boolean =>
    spawnSync('test', ['-e', join(folder, '1/app', path)]).status === 0
  expect(['bin/assay', 'dist/cli/main.js', 'policies', 'node_modules/hono'].filter(has)).toEqual([
    'bin/assay',
    'dist/cli/main.js',
    'policies',
    'node_modules/hono',
  ])
  const developing = ['node_modules/vitest', 'node_modules/typescript', 'node_modules/node', 'cli']
  expect(developing.filter(has)).toEqual([])
})
