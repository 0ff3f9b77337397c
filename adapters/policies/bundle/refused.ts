/** Which errors are the bundle's own: it is refused, once, and asking again changes nothing. */
import { BundleError, EngineError, type KernelError } from '../../../core/error.ts'
import { BundleRefusal } from '../../../formats/bundle/index.ts'

export function isRefusal(error: unknown): error is KernelError {
  if (error instanceof BundleRefusal || error instanceof BundleError) return true
  return error instanceof EngineError && error.code === 'invalid_bundle'
}
