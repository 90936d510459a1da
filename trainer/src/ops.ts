/** The operations of a training step whose speed decides: the native engine's fused ones where there is one. */
import { engine } from './tensorflow.js';

export { NORM_EPSILON } from './ops-contract.js';

// Only one of them is loaded: the fused ones look for the native engine when they are.
const { ops } = engine.native ? await import('./ops-native.js') : await import('./ops-stock.js');

export const { batchNorm, frozenNorm, relu, crossEntropy, replaceRows } = ops;
