/**
 * examples/own-plugin as its author and its users have it: it keeps every plugin's laws, its types hold, and the package that npm packs of
 * it serves elsewhere by its name, next to the plugins that ship.
 */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plugin } from '../../core/plugin.ts'
import { registerLaws } from '../conformance/laws.ts'
import { pluginLaws } from '../conformance/plugin.ts'
import { installAssay, NODE } from '../installed.ts'
import { Server } from '../server.ts'
import { readText, root } from '../source.ts'
import { readSteps, Session } from './readme.ts'

const EXAMPLE = 'examples/own-plugin'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const KEY = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')

/** A statement as a build system signs it. */
function release(
  text: string,
  by = privateKey,
): Record<'signature' | 'signer' | 'statement', string> {
  const signature = sign(null, Buffer.from(text), by).toString('base64')
  return { signature, signer: 'ci', statement: text }
}
const STATEMENT = '{"artifact":"api","version":7}'

const own = (await import(pathToFileURL(join(root, EXAMPLE, 'index.js')).href)) as {
  default: { plugin: Plugin }
}
registerLaws('example plugin', pluginLaws, {
  name: 'plugin/deployment',
  plugin: own.default.plugin,
  readme: readText(`${EXAMPLE}/README.md`),
  rego: Object.fromEntries(
    ['decision.rego', 'decision_test.rego'].map((name) => [
      name,
      readText(`${EXAMPLE}/policies/${name}`),
    ]),
  ),
  samples: [
    {
      action: 'deployment.deploy',
      payload: release(STATEMENT),
      records: { 'signer/ci': { key: KEY }, 'artifact/api': { version: 6 } },
      effects: [{ artifact: 'api', kind: 'deployment.record', version: 7 }],
    },
    {
      action: 'deployment.pin',
      payload: { key: KEY, signer: 'ci' },
      effects: [{ key: KEY, kind: 'deployment.pin', signer: 'ci' }],
    },
  ],
})

test('its types are checked as strictly as the repository’s', () => {
  const config = join(root, EXAMPLE, 'index.js')
  const folder = mkdtempSync(join(tmpdir(), 'assay-own-types-'))
  const options = { allowJs: true, checkJs: true, isolatedDeclarations: false, declaration: false }
  const project = join(folder, 'tsconfig.json')
  const paths = { 'assay/plugin': [join(root, 'core/contract.ts')] }
  const typeRoots = [join(root, 'node_modules/@types')]
  const compilerOptions = { ...options, paths, typeRoots }
  const extending = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [config] }
  writeFileSync(project, JSON.stringify({ ...extending, exclude: [] }))
  try {
    execFileSync(join(root, 'node_modules/.bin/tsc'), ['--project', project], { encoding: 'utf8' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('packed and installed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-own-plugin-'))
  const data = join(folder, 'data')
  const config = join(folder, 'assay.yaml')
  let server: Server
  let url: string

  const npm = (...args: string[]): string =>
    execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

  beforeAll(async () => {
    const program = join(installAssay(folder), 'bin', 'assay')
    npm('pack', join(root, EXAMPLE), '--silent')
    const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
    const installed = join(folder, 'node_modules', 'assay-plugin-deployment')
    mkdirSync(installed)
    execFileSync('tar', ['-xzf', join(folder, archive), '--strip-components=1', '-C', installed])
    writeFileSync(config, 'plugins: [access, assay-plugin-deployment]\n')
    const pin = JSON.stringify({ key: KEY, signer: 'ci' })
    const decide = ['decide', '--config', config, '--data', data, '--action', 'deployment.pin']
    const env = { PATH: `${dirname(NODE)}:${process.env.PATH}` }
    execFileSync(program, [...decide, '--payload', pin], { env: { ...process.env, ...env } })
    server = new Server({ data, config, program, env })
    url = await server.ready
  }, 180_000)
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  async function deploy(payload: object): Promise<[allow: boolean, ...codes: string[]]> {
    const response = await fetch(`${url}/assay/v1/decisions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ action: 'deployment.deploy', payload }),
    })
    expect(response.status).toBe(200)
    const { allow, reasons } = (await response.json()) as {
      allow: boolean
      reasons: { code: string }[]
    }
    return [allow, ...reasons.map(({ code }) => code)]
  }

  test('the package has what it needs and nothing else', () => {
    const installed = join(folder, 'node_modules', 'assay-plugin-deployment')
    expect(readdirSync(installed).sort()).toEqual([
      'README.md',
      'index.js',
      'package.json',
      'policies',
    ])
  })

  test('a signed release is deployed once', async () => {
    expect(await deploy(release(STATEMENT))).toEqual([true, 'signed_release'])
    expect(await deploy(release(STATEMENT))).toEqual([false, 'not_newer'])
    expect(await deploy(release('{"artifact":"api","version":8}'))).toEqual([
      true,
      'signed_release',
    ])
  })

  test('what nobody signed, somebody else signed, or says nothing is not', async () => {
    const other = generateKeyPairSync('ed25519').privateKey
    expect(
      await deploy({ ...release(STATEMENT), statement: '{"artifact":"api","version":9}' }),
    ).toEqual([false, 'signature_invalid'])
    expect(await deploy(release('{"artifact":"api","version":9}', other))).toEqual([
      false,
      'signature_invalid',
    ])
    expect(await deploy({ ...release(STATEMENT), signer: 'nobody' })).toEqual([
      false,
      'unknown_signer',
    ])
    expect(await deploy(release('{"artifact":"api"}'))).toEqual([false, 'malformed_statement'])
    expect(await deploy({})).toEqual([false, 'malformed_request'])
  })

  test('of many deployments of one version at once exactly one is made', async () => {
    const payload = release('{"artifact":"web","version":1}')
    const all = await Promise.all(Array.from({ length: 8 }, () => deploy(payload)))
    expect(all.filter(([allow]) => allow).length).toBe(1)
  })
})

test('in this checkout one command links its peer and serves it by path', {
  timeout: 120_000,
}, async () => {
  const [start] = readSteps(readText(`${EXAMPLE}/README.md`))
  if (start?.kind !== 'start') throw new Error('its page has no command')
  const scratch = mkdtempSync(join(tmpdir(), 'assay-own-serve-'))
  const session = new Session(root, scratch)
  const path = `export PATH='${join(root, 'node_modules/.bin')}':"$PATH"`
  const script = `${path}\n${start.script} -- --port 0 --data '${scratch}/data'`
  try {
    const { output } = await session.carryOut({ ...start, script })
    expect(output).toContain('assay listening on http://127.0.0.1:')
  } finally {
    await session.close()
    rmSync(scratch, { recursive: true })
  }
})
