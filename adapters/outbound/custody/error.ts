import { KernelError } from '../../../core/error.ts'

/**
 * An entry that has to be performed again later.
 * - `malformed`: it is not one of this adapter's; a newer version may have written it.
 * - `undecided`: the kernel neither took the outcome nor said that it is settled, such as while the action is frozen.
 */
export type KeyCustodyErrorCode = 'malformed' | 'undecided'
export class KeyCustodyError extends KernelError<KeyCustodyErrorCode> {}
