import { KernelError } from '../../core/error.ts'

/**
 * Why a decision is not explained. `erased`: what it was asked is gone. `withheld`: it may not be opened for whoever asks. `kernel_decision`:
 * no policy was asked. `search`: it was about many questions. `not_replayable`: a budget or two engines decided. `unknown_decision`,
 * `unknown_policy`: not in this store. `differs`: the traced evaluation says something else than the decision, so nothing can be said.
 */
export type ExplainErrorCode =
  | 'differs'
  | 'erased'
  | 'kernel_decision'
  | 'not_replayable'
  | 'search'
  | 'unknown_decision'
  | 'unknown_policy'
  | 'withheld'
export class ExplainError extends KernelError<ExplainErrorCode> {
  constructor(code: ExplainErrorCode, what: string) {
    super('explain', code, what)
  }
}
