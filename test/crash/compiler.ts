/**
 * A compiler adapter that remembers what it compiled: a server that is killed fifty times starts fifty times on the same policies, and
 * compiling is not what these tests are about. Named in their configuration like any adapter of somebody else.
 */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createOpaCompiler } from '../../adapters/compiler/opa/index.ts'
import type { Extension } from '../../adapters/extension/extension.ts'
import type { BuildOptions, Bundle, Compiler, Sources } from '../../core/ports/compiler.ts'

function remembering(folder: string): Compiler {
  const opa = createOpaCompiler()
  const build = async (sources: Sources, options: BuildOptions): Promise<Bundle> => {
    const asked = JSON.stringify([opa.version, sources, options])
    const path = join(folder, `${createHash('sha256').update(asked).digest('hex')}.bundle`)
    const remembered = read(path)
    if (remembered) return remembered
    const bundle = await opa.build(sources, options)
    write(path, bundle)
    return bundle
  }
  return {
    name: 'remembering',
    version: opa.version,
    build,
    check: (sources, options) => opa.check(sources, options),
    format: (sources) => opa.format(sources),
    syntax: (sources) => opa.syntax(sources),
    test: (sources, options) => opa.test(sources, options),
    close: () => opa.close(),
  }
}

function read(path: string): Bundle | undefined {
  try {
    const { wasm, ...rest } = JSON.parse(readFileSync(path, 'utf8'))
    return { ...rest, wasm: new Uint8Array(Buffer.from(wasm, 'base64')) }
  } catch {
    return undefined
  }
}

/** Whole or not at all: the writer may be killed at any moment. */
function write(path: string, bundle: Bundle): void {
  const text = JSON.stringify({ ...bundle, wasm: Buffer.from(bundle.wasm).toString('base64') })
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

const extension: Extension = {
  adapter: { port: 'compiler', open: (_options, { configFolder }) => remembering(configFolder) },
}
export default extension
