/**
 * Packs the function: its policies, compiled, and one ES module. `node --conditions=assay-source examples/lambda/build.ts [FOLDER]` prints the sizes.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { packagePolicies } from 'assay/lambda/package'
import { build, type Metafile } from 'esbuild'

const here = import.meta.dirname

export interface Built {
  /** What Lambda is given: `handler.mjs`, and for the extension `assay-extension.mjs`. */
  readonly folder: string
  readonly bytes: number
  readonly gzipped: number
  readonly metafile: Metafile
}

/** @param entry without its ending */
export async function buildFunction(folder: string, entry = 'handler'): Promise<Built> {
  mkdirSync(folder, { recursive: true })
  const bundle = join(folder, 'policies.tar.gz')
  const compile = ['policy', 'build', '--config', join(here, 'assay.yaml'), '--output', bundle]
  const { status, stderr } = spawnSync(join(here, '../../bin/assay'), compile, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const policies = Object.entries(await packagePolicies(bundle))
  for (const [name, text] of policies) writeFileSync(join(folder, name), text)
  const { metafile, outputFiles } = await build({
    absWorkingDir: here,
    alias: Object.fromEntries(policies.map(([name]) => [`packaged/${name}`, join(folder, name)])),
    banner: { js: REQUIRE },
    bundle: true,
    conditions: ['assay-source'],
    entryPoints: [`${entry}.ts`],
    format: 'esm',
    legalComments: 'none',
    metafile: true,
    minify: true,
    outfile: join(folder, `${entry.split('/').at(-1)}.mjs`),
    platform: 'node',
    target: 'node24',
    write: false,
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made nothing')
  writeFileSync(file.path, file.contents)
  for (const name of ['policies.tar.gz', ...policies.map(([name]) => name)])
    rmSync(join(folder, name))
  const { contents } = file
  return { folder, bytes: contents.length, gzipped: gzipSync(contents).length, metafile }
}

/** Some packages of the AWS SDK are CommonJS, and ask for Node's own modules that way. */
const REQUIRE = `import{createRequire as $require}from'node:module';const require=$require(import.meta.url);`

if (import.meta.main) {
  const { bytes, folder, gzipped } = await buildFunction(process.argv[2] ?? join(here, 'dist'))
  console.log(`${join(folder, 'handler.mjs')}: ${bytes} bytes, ${gzipped} gzipped`)
}
