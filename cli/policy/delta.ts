/** `assay policy delta`: what leads from one bundle to the next, in OPA's format. Signed like a bundle, it travels in its place. */
import { resolve } from 'node:path'
import { DEFAULT_LIMITS, readBundleAt } from '../../adapters/policies/bundle/archive.ts'
import { deltaBetween, type Whole } from '../../adapters/policies/bundle/delta.ts'
import { BundleError } from '../../core/error.ts'
import {
  BundleRefusal,
  contentDigest,
  readDelta,
  readPolicyBundle,
} from '../../formats/bundle/index.ts'
import { shown } from '../input.ts'
import type { ExitCode, Out } from '../out.ts'
import { writeBundle } from './write-bundle.ts'

export interface DeltaOptions {
  readonly output: string
}
const MAX_BYTES = DEFAULT_LIMITS.maxUnpackedBytes

/** 0: written; 1: there is none, with the code. Who signed the two does not matter here: who signs the delta vouches for it. */
export async function delta(
  { output }: DeltaOptions,
  out: Out,
  old: string,
  next: string,
): Promise<ExitCode> {
  try {
    const files = deltaBetween(await wholeAt(old), await wholeAt(next))
    await writeBundle(resolve(output), files)
    const { manifest, operations } = readDelta(files, { maxBytes: MAX_BYTES })
    const content = contentDigest(files)
    const value = { ...manifest, content, operations: operations.length }
    const lines = [
      `base     ${manifest.base}`,
      `result   ${manifest.result}`,
      `content  ${content}`,
      `delta    ${shown(resolve(output))}`,
    ]
    out.answer(value, lines.join('\n'))
    return 0
  } catch (error) {
    const refused = error instanceof BundleRefusal || error instanceof BundleError
    if (!refused || error.code === 'not_found') throw error
    const { code, message } = error
    out.answer({ code, message }, `${out.colour('red', 'REFUSED')} ${message}`)
    return 1
  }
}

async function wholeAt(path: string): Promise<Whole> {
  const files = await readBundleAt(path, DEFAULT_LIMITS)
  return { files, bundle: readPolicyBundle(files, { maxBytes: MAX_BYTES }) }
}
