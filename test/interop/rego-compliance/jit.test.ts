/** `strict`: an error of a built-in ends the evaluation. `lenient`: the same cases, where such an error is undefined. */
import { holds } from './held.ts'
import { jit } from './jit.ts'

holds(jit, 'main', 98)
holds(jit, 'strict', 95)
holds(jit, 'lenient', 95)
