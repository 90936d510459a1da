/**
 * The one entry that is open to the trainer: the very code that serves decodes, preprocesses and embeds
 * the bank, so a bank vector and a query vector of the same picture are the same vector.
 */
import type { Embedder } from './core/ports.js';
import { readModel } from './engines/manifest.js';
import { createOnnxEmbedder } from './engines/onnx-embedder.js';

export { LookalikeError, messageOf } from './core/errors.js';
export type { BankItem, BankManifest, ModelManifest, PreprocessRecord } from './core/manifests.js';
export type { Decoder, Embedder } from './core/ports.js';
export { cropBox, toTensor, writeTensor } from './core/preprocess.js';
export type { DecodedImage, Image } from './core/types.js';
export { type Bank, readBank, writeBank } from './engines/bank.js';
export { sha256Of, sha256OfFile, writeDurably } from './engines/files.js';
export { type ListedImage, listImages } from './engines/folder.js';
export { type Model, readModel, writeModel } from './engines/manifest.js';
export {
  encodeOnnxModel,
  int64Tensor,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
} from './engines/onnx-model.js';
export { createDecoder } from './engines/sharp-decoder.js';
export { composeSheet, type SheetPart, type SheetTile } from './engines/sharp-sheet.js';

/** Opens the encoder of a model folder as the service does. Throws like `readModel`; whoever calls closes it. */
export async function createEmbedder(folder: string): Promise<Embedder> {
  const { manifest, onnxPath } = await readModel(folder);
  return createOnnxEmbedder({ modelPath: onnxPath, manifest });
}
