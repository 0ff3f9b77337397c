/** Where `assay policy build` and `assay policy delta` put what they make. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pack } from '../../adapters/policies/bundle/archive.ts'
import { type Files, safePath } from '../../formats/bundle/index.ts'

/** An archive, or the files in a folder, which OPA takes too. */
export async function writeBundle(output: string, files: Files): Promise<void> {
  if (/\.(?:tar\.gz|tgz)$/.test(output)) {
    await mkdir(dirname(output), { recursive: true })
    await writeFile(output, await pack(files))
    return
  }
  // They are of what was there before.
  await rm(join(output, '.signatures.json'), { force: true })
  for (const [path, bytes] of files) {
    const at = join(output, safePath(path))
    await mkdir(dirname(at), { recursive: true })
    await writeFile(at, bytes)
  }
}
