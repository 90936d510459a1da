/** Real `preprocessor_config.json` files, and those that a record cannot follow. */
import { describe, expect, it } from 'vitest';
import { recordFromHuggingFace } from '../../../src/core/hugging-face.js';
import { refusal } from '../../fixtures/errors.js';

const read = (config: unknown) => recordFromHuggingFace(config, 'preprocessor_config.json');
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711];
const square = (side: number) => ({ width: side, height: side });
const RESCALE = { do_rescale: true, rescale_factor: 0.00392156862745098 };

/** As published with the models named. */
const vit = {
  // google/vit-base-patch16-224-in21k
  do_normalize: true,
  do_resize: true,
  ...RESCALE,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  image_processor_type: 'ViTImageProcessor',
  resample: 2,
  size: { height: 224, width: 224 },
};
const clip = {
  // openai/clip-vit-base-patch32, the older form
  crop_size: 224,
  do_center_crop: true,
  do_normalize: true,
  do_resize: true,
  feature_extractor_type: 'CLIPFeatureExtractor',
  image_mean: CLIP_MEAN,
  image_std: CLIP_STD,
  resample: 3,
  size: 224,
};
const dinov2 = {
  // facebook/dinov2-base
  crop_size: { height: 224, width: 224 },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_resize: true,
  ...RESCALE,
  ...IMAGENET,
  image_processor_type: 'BitImageProcessor',
  resample: 3,
  size: { shortest_edge: 256 },
};
const convnext = {
  // facebook/convnext-tiny-224
  crop_pct: 0.875,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  ...IMAGENET,
  feature_extractor_type: 'ConvNextFeatureExtractor',
  resample: 3,
  size: { shortest_edge: 224 },
};
const siglip = {
  // google/siglip-base-patch16-224
  do_normalize: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_processor_type: 'SiglipImageProcessor',
  image_std: [0.5, 0.5, 0.5],
  processor_class: 'SiglipProcessor',
  resample: 3,
  ...RESCALE,
  size: { height: 224, width: 224 },
};
const deit = {
  // facebook/deit-small-distilled-patch16-224
  crop_size: 224,
  do_center_crop: true,
  do_normalize: true,
  do_resize: true,
  feature_extractor_type: 'DeiTFeatureExtractor',
  ...IMAGENET,
  resample: 3,
  size: 256,
};
const mobileclip = {
  // the ONNX export of mobileclip_s0
  crop_size: { height: 256, width: 256 },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: false,
  ...RESCALE,
  do_resize: true,
  feature_extractor_type: 'CLIPFeatureExtractor',
  image_processor_type: 'CLIPFeatureExtractor',
  resample: 2,
  size: { shortest_edge: 256 },
};
const dinov3 = {
  // facebook/dinov3-vits16-pretrain-lvd1689m: a "fast" processor writes every attribute
  crop_size: null,
  data_format: 'channels_first',
  default_to_square: true,
  device: null,
  disable_grouping: null,
  do_center_crop: null,
  do_convert_rgb: null,
  do_normalize: true,
  do_resize: true,
  ...IMAGENET,
  image_processor_type: 'DINOv3ViTImageProcessorFast',
  input_data_format: null,
  resample: 2,
  return_tensors: null,
  ...RESCALE,
  size: { height: 224, width: 224 },
};

describe('a preprocessor_config.json', () => {
  const understood: [string, object, object][] = [
    [
      'ViT stretches',
      vit,
      {
        resize: square(224),
        crop: square(224),
        kernel: 'linear',
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
      },
    ],
    [
      'CLIP keeps the shape and cuts',
      clip,
      { resize: { shorter_side: 224 }, crop: square(224), kernel: 'cubic', mean: CLIP_MEAN, std: CLIP_STD },
    ],
    [
      "DINOv2 uses BiT's",
      dinov2,
      { resize: { shorter_side: 256 }, crop: square(224), kernel: 'cubic', mean: IMAGENET.image_mean },
    ],
    [
      'ConvNeXt below 384 cuts 7/8',
      convnext,
      { resize: { shorter_side: 256 }, crop: square(224), kernel: 'cubic' },
    ],
    [
      'ConvNeXt from 384 on stretches',
      { ...convnext, size: 384 },
      { resize: square(384), crop: square(384) },
    ],
    ['SigLIP stretches', siglip, { resize: square(224), crop: square(224), kernel: 'cubic' }],
    [
      'DeiT stretches and cuts',
      deit,
      { resize: square(256), crop: square(224), kernel: 'cubic', mean: IMAGENET.image_mean },
    ],
    [
      'MobileCLIP leaves 0 to 1',
      mobileclip,
      { resize: { shorter_side: 256 }, crop: square(256), kernel: 'linear', mean: [0, 0, 0], std: [1, 1, 1] },
    ],
    [
      'DINOv3 with nulls',
      dinov3,
      { resize: square(224), crop: square(224), kernel: 'linear', std: IMAGENET.image_std },
    ],
    [
      'defaults of a named processor',
      { image_processor_type: 'CLIPImageProcessor' },
      { resize: { shorter_side: 224 }, kernel: 'cubic', std: CLIP_STD },
    ],
    [
      'a size of height and width',
      { ...vit, size: [160, 224] },
      { resize: { width: 224, height: 160 }, crop: { width: 224, height: 160 } },
    ],
    [
      'a CLIP that does not cut',
      { ...clip, do_center_crop: false, size: { height: 336, width: 336 } },
      { resize: square(336), crop: square(336) },
    ],
    [
      'one number for all channels',
      { ...vit, image_mean: 0.4, image_std: 0.2 },
      { mean: [0.4, 0.4, 0.4], std: [0.2, 0.2, 0.2] },
    ],
    ['Lanczos', { ...vit, resample: 1 }, { kernel: 'lanczos3' }],
    [
      'no processor, all said',
      { ...dinov2, image_processor_type: undefined },
      { resize: { shorter_side: 256 }, crop: square(224) },
    ],
  ];
  it.each(understood)('is understood: %s', (_, config, record) => {
    const found = read(config);
    expect(found).toMatchObject(record);
    expect(found.background).toEqual([255, 255, 255]);
  });

  it('may scale in its own way: what goes into the encoder is the same', () => {
    const scalings: object[] = [
      { rescale_factor: 1 / 127.5, image_mean: 1, image_std: 1 }, // -1..1
      { rescale_factor: 1 / 127.5, image_mean: [0.5, 0.6, 0.7], image_std: [2, 3, 4] },
      { do_rescale: false, image_mean: 128, image_std: 64 },
      { do_rescale: false, do_normalize: false },
      { do_normalize: false },
    ];
    for (const scaling of scalings) {
      const config = { ...vit, ...scaling };
      const { mean, std } = read(config);
      const factor = config.do_rescale ? config.rescale_factor : 1;
      const of = (value: number | number[], i: number) => (Array.isArray(value) ? value[i]! : value);
      for (const pixel of [0, 100, 255])
        for (const i of [0, 1, 2]) {
          const m = config.do_normalize ? of(config.image_mean, i) : 0;
          const s = config.do_normalize ? of(config.image_std, i) : 1;
          expect((pixel / 255 - mean[i]!) / std[i]!).toBeCloseTo((pixel * factor - m) / s, 9);
        }
    }
  });

  const refused: [string, unknown, string][] = [
    [
      'image_processor_type',
      { ...vit, image_processor_type: 'PerceiverImageProcessor' },
      'is "PerceiverImageProcessor": known are the image processors ViT, ',
    ],
    ['do_resize', { ...vit, do_resize: false }, 'is false: '],
    ['size', { ...vit, size: { longest_edge: 448 } }, 'is {"longest_edge":448}: '],
    ['size', { ...clip, size: { shortest_edge: 224, longest_edge: 448 } }, '"longest_edge":448}: '],
    ['size', { ...vit, image_processor_type: undefined, size: 224 }, 'is 224: write {"shortest_edge"}'],
    ['size', { ...vit, image_processor_type: undefined, size: undefined }, 'is missing: it has to be stated'],
    ['size', { ...convnext, size: { height: 224, width: 224 } }, 'needs {"shortest_edge"}'],
    ['resample', { ...convnext, resample: undefined }, 'is missing: it has to be stated'],
    ['resample', { ...vit, resample: 0 }, 'is 0: 1 (Lanczos)'],
    ['do_center_crop', { ...clip, do_center_crop: false }, 'is false: pictures with a shorter side of 224'],
    ['crop_size', { ...clip, crop_size: 256 }, 'is 256: the resized picture is sure to have 224 x 224'],
    ['crop_size', { ...clip, crop_size: { shortest_edge: 30 } }, 'is {"shortest_edge":30}: '],
    ['crop_pct', { ...clip, crop_pct: 0.9 }, 'is 0.9: '],
    ['do_pad', { ...vit, do_pad: true }, 'is true: '],
    [
      'do_flip_channel_order',
      { ...vit, do_flip_channel_order: true },
      'is true: the channels are red, green, blue',
    ],
    ['image_mean', { ...vit, image_mean: [0.5] }, 'is [0.5]: one number or three'],
    ['image_mean', { ...vit, image_processor_type: undefined, image_mean: undefined }, 'is missing: '],
    ['image_std', { ...vit, image_std: [0.5, 0, 0.5] }, 'is [0.5,0,0.5]: numbers above 0'],
    ['rescale_factor', { ...vit, rescale_factor: 0 }, 'is 0: '],
    ['do_split', { ...vit, do_split: true }, 'is true: no preprocessing record can say this'],
  ];
  it.each(refused)('is refused for its %s', async (field, config, words) => {
    const error = await refusal('model_invalid', () => read(config));
    expect(error.message).toContain(`preprocessor_config.json: ${field} `);
    expect(error.message).toContain(words);
    expect(error.field).toBe(field);
  });

  it('is refused when it is no object, or asks for a picture that is too large', async () => {
    for (const json of [null, [], 'text', 3]) await refusal('model_invalid', () => read(json));
    const { message } = await refusal('model_invalid', () => read({ ...vit, size: 5000 }));
    expect(message).toContain('resize');
  });
});
