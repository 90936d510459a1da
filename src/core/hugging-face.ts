import { z } from 'zod';
import { LookalikeError } from './errors.js';
import { type HuggingFaceConfig, parseHuggingFaceConfig, type Refuse } from './hugging-face-config.js';
import { type PreprocessRecord, preprocessRecord } from './manifests.js';

/** Hugging Face's `preprocessor_config.json` as a preprocessing record. */

type Triple = [number, number, number];
type Size = { shortest_edge: number } | { height: number; width: number };

/** What a processor does where its file is silent. Source: the constructors in `image_processing_*.py`. */
interface Processor {
  size: Size;
  crop: { height: number; width: number } | null; // the centre crop that is done unless it is turned off
  resample: number | null; // PIL's number; null where versions of the library differ
  mean: Triple;
  std: Triple;
}

const square = (side: number) => ({ height: side, width: side });
const HALF = { mean: [0.5, 0.5, 0.5] as Triple, std: [0.5, 0.5, 0.5] as Triple };
const IMAGENET = { mean: [0.485, 0.456, 0.406] as Triple, std: [0.229, 0.224, 0.225] as Triple };
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073] as Triple,
  std: [0.26862954, 0.26130258, 0.27577711] as Triple,
};

/** By name, without "ImageProcessor"; `...Fast` and the older `...FeatureExtractor` mean the same. */
const PROCESSORS: Readonly<Record<string, Processor>> = {
  ViT: { size: square(224), crop: null, resample: 2, ...HALF },
  Siglip: { size: square(224), crop: null, resample: 3, ...HALF },
  DINOv3ViT: { size: square(224), crop: null, resample: 2, ...IMAGENET },
  DeiT: { size: square(256), crop: square(224), resample: 3, ...HALF },
  Beit: { size: square(256), crop: square(224), resample: 3, ...HALF },
  CLIP: { size: { shortest_edge: 224 }, crop: square(224), resample: 3, ...CLIP },
  Bit: { size: { shortest_edge: 224 }, crop: square(224), resample: 3, ...CLIP },
  ConvNext: { size: { shortest_edge: 384 }, crop: null, resample: null, ...HALF },
  MobileNetV1: { size: { shortest_edge: 256 }, crop: square(224), resample: 2, ...HALF },
  MobileNetV2: { size: { shortest_edge: 256 }, crop: square(224), resample: 2, ...HALF },
};

/** PIL's filters that libvips has too: Lanczos of three lobes, triangle, Catmull-Rom, all antialiased. */
const KERNELS: Readonly<Record<number, PreprocessRecord['kernel']>> = {
  1: 'lanczos3',
  2: 'linear',
  3: 'cubic',
};

/** The config at hand, what its processor adds, and the way to refuse one of its fields. */
interface Reading {
  config: HuggingFaceConfig;
  processor: Processor | null; // none is named: every field must be there
  refuse: Refuse;
}

/**
 * Reads a parsed `preprocessor_config.json`. Throws `model_invalid` naming `path`, the field, its value and what
 * is allowed when a field asks for something that a record cannot say. Transparency, which the processors leave
 * to chance, is laid over white.
 */
export function recordFromHuggingFace(json: unknown, path: string): PreprocessRecord {
  const { config, refuse } = parseHuggingFaceConfig(json, path);
  const reading = { config, processor: processorOf(config, refuse), refuse };
  const resample = config.resample ?? reading.processor?.resample ?? missing(reading, 'resample');
  const record = {
    ...geometryOf(reading),
    kernel: KERNELS[resample] ?? refuse('resample', '1 (Lanczos), 2 (bilinear) and 3 (bicubic) are known'),
    ...scalingOf(reading),
    background: [255, 255, 255],
  };
  const result = preprocessRecord.safeParse(record);
  if (result.success) return result.data;
  const faults = z.prettifyError(result.error).replaceAll('\n', ' ');
  throw new LookalikeError('model_invalid', `${path} gives no preprocessing record: ${faults}`);
}

const missing = ({ refuse }: Reading, field: keyof HuggingFaceConfig): never =>
  refuse(field, 'it has to be stated: no processor is named, or its default is not the same in all versions');

function processorOf(config: HuggingFaceConfig, refuse: Refuse): Processor | null {
  const field = config.image_processor_type === undefined ? 'feature_extractor_type' : 'image_processor_type';
  const name = config[field];
  if (name === undefined) return null;
  const stem = name.replace(/(ImageProcessor(Fast)?|FeatureExtractor)$/, '');
  if (Object.hasOwn(PROCESSORS, stem)) return PROCESSORS[stem]!;
  return refuse(field, `known are the image processors ${Object.keys(PROCESSORS).join(', ')}`);
}

function geometryOf(reading: Reading): Pick<PreprocessRecord, 'resize' | 'crop'> {
  const { config, processor, refuse } = reading;
  const size = sizeOf(reading);
  if (processor === PROCESSORS.ConvNext) return convNext(size, config.crop_pct ?? 224 / 256, refuse);
  if (config.crop_pct !== undefined) refuse('crop_pct', 'it is known of the ConvNext processor only');
  const crop = cropOf(reading);
  if ('width' in size) return { resize: size, crop: inside(crop ?? size, size, refuse) };
  const { shortest_edge: edge } = size;
  if (!crop)
    return refuse('do_center_crop', `pictures with a shorter side of ${edge} would have many shapes`);
  return { resize: { shorter_side: edge }, crop: inside(crop, square(edge), refuse) };
}

/** A crop that reaches outside the resized picture would be padded with black there. */
function inside(crop: Extract<Size, { width: number }>, within: typeof crop, refuse: Refuse) {
  if (crop.width > within.width || crop.height > within.height)
    refuse('crop_size', `the resized picture is sure to have ${within.width} x ${within.height} pixels only`);
  return crop;
}

/** Below 384 the shorter side is made larger by 1 / crop_pct and the centre cut out; from there on all is stretched. */
function convNext(size: Size, cropPct: number, refuse: Refuse): Pick<PreprocessRecord, 'resize' | 'crop'> {
  if (!('shortest_edge' in size)) return refuse('size', 'the ConvNext processor needs {"shortest_edge"}');
  const edge = size.shortest_edge;
  const resize = edge < 384 ? { shorter_side: Math.floor(edge / cropPct) } : square(edge);
  return { resize, crop: square(edge) };
}

function sizeOf(reading: Reading): Size {
  const { config, processor, refuse } = reading;
  const size = config.size ?? processor?.size ?? missing(reading, 'size');
  if (Array.isArray(size)) return { height: size[0], width: size[1] };
  if (typeof size === 'object') return size;
  const toSquare = config.default_to_square ?? (processor && 'width' in processor.size);
  if (toSquare === null)
    return refuse('size', 'write {"shortest_edge"} or {"height", "width"}: a number can mean both');
  return toSquare ? square(size) : { shortest_edge: size };
}

function cropOf(reading: Reading): { height: number; width: number } | null {
  const { config, processor, refuse } = reading;
  if (!(config.do_center_crop ?? processor?.crop != null)) return null;
  const crop = config.crop_size ?? processor?.crop ?? missing(reading, 'crop_size');
  if (typeof crop === 'number') return square(crop);
  if (Array.isArray(crop)) return { height: crop[0], width: crop[1] };
  return 'width' in crop ? crop : refuse('crop_size', 'a number or {"height", "width"} is needed');
}

/**
 * mean and std of the record, which starts from value / 255: the processor's (value * factor - mean) / std is
 * (value / 255 - mean / (255 factor)) / (std / (255 factor)).
 */
function scalingOf(reading: Reading): { mean: number[]; std: number[] } {
  const { config, processor, refuse } = reading;
  const factor = config.do_rescale === false ? 1 : (config.rescale_factor ?? 1 / 255);
  // Files write 1 / 255 with as many digits as they like.
  const scale = Math.abs(255 * factor - 1) < 1e-6 ? 1 : 255 * factor;
  if (config.do_normalize === false) return { mean: [0, 0, 0], std: [1, 1, 1].map((value) => value / scale) };
  const mean = triple(config.image_mean ?? processor?.mean ?? missing(reading, 'image_mean'));
  const std = triple(config.image_std ?? processor?.std ?? missing(reading, 'image_std'));
  if (!std.every((value) => value > 0)) refuse('image_std', 'numbers above 0 are needed');
  return { mean: mean.map((value) => value / scale), std: std.map((value) => value / scale) };
}

const triple = (value: number | Triple): Triple =>
  typeof value === 'number' ? [value, value, value] : value;
