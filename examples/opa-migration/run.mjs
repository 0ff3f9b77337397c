// `node examples/opa-migration/run.mjs`: the server over the bundle, the client against it, and the end of both.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const data = mkdtempSync(join(tmpdir(), 'opa-migration-'))
const args = ['serve', '--config', join(here, 'assay.yaml'), '--data', data, '--port', '0']
const server = spawn(join(here, '../../bin/assay'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
try {
  const url = await listening(server)
  const client = spawnSync(process.execPath, [join(here, 'client.mjs'), url], { stdio: 'inherit' })
  process.exitCode = client.status ?? 1
} finally {
  server.kill()
  await new Promise((resolve) => server.once('exit', resolve))
  rmSync(data, { recursive: true })
}

function listening(child) {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      const url = output.match(/^assay listening on (\S+)$/m)?.[1]
      if (url !== undefined) resolve(url)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output}`)))
    setTimeout(() => reject(new Error(`the server is not ready: ${output}`)), 60_000).unref()
  })
}
