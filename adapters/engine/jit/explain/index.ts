export {
  createExplainer,
  type Explained,
  type Explainer,
  type ExplainerOptions,
} from './explainer.ts'
export type * from './explanation.ts'
export { explanationText } from './text.ts'
export { type Masks, NO_MASKS } from './veil.ts'
