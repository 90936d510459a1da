/**
 * What a network consists of, as a list of layers: ResNet-18, 34 and 50 (He et al. 2015) at any width, with the
 * stem that fits the input. `network.ts` computes it, `encoder-graph.ts` writes the same description as ONNX.
 */
import { LookalikeError } from '../../dist/offline.js';

/** Blocks in each of the four stages. */
const STAGES = { resnet18: [2, 2, 2, 2], resnet34: [3, 4, 6, 3], resnet50: [3, 4, 6, 3] } as const;
/** Channels that a block of ResNet-50 puts out, in those of its 3x3 convolution. */
const EXPANSION = 4;

export interface NetworkOptions {
  network: keyof typeof STAGES;
  width: number; // factor of 64, 128, 256, 512 channels
  size: number; // side of the training views: decides the stem
  head: 'linear' | 'mlp';
  dimension: number;
  seed: number;
}

/** A convolution and the batch normalisation after it. Names are those of the weights. */
export interface ConvLayer {
  name: string;
  kernel: number;
  stride: number;
  inputs: number;
  outputs: number;
}

/** The convolutions one after another, relu between them; then the block's input is added, then relu. */
export interface Block {
  convs: ConvLayer[];
  shortcut: ConvLayer | null; // brings the input to the shape of the sum
}

export interface DenseLayer {
  name: string;
  inputs: number;
  outputs: number;
}

export interface Architecture {
  stem: ConvLayer;
  pool: boolean; // 3x3 max pool of stride 2 after the stem
  blocks: Block[];
  head: DenseLayer[]; // relu between them
}

/** 32 px: 3x3 stem; 64 to 128 px: 5x5 of stride 2; larger: 7x7 of stride 2 and a max pool. */
export function describeNetwork(options: NetworkOptions): Architecture {
  const { size, width, head, dimension } = options;
  const [kernel, stride] = size < 64 ? [3, 1] : size <= 128 ? [5, 2] : [7, 2];
  const stem = { name: 'stem', kernel, stride, inputs: 3, outputs: scaled(64, width) };
  const blocks = describeBlocks(options, stem.outputs);
  const inputs = backboneChannels({ blocks });
  const last = { name: 'head.last', inputs, outputs: dimension };
  const dense = head === 'mlp' ? [{ name: 'head.hidden', inputs, outputs: inputs }, last] : [last];
  const architecture = { stem, pool: size > 128, blocks, head: dense };
  const whole = wholeStride(architecture);
  if (size % whole === 0) return architecture;
  throw new LookalikeError('invalid_setting', `size is ${size}, multiples of ${whole} are allowed here`);
}

function scaled(channels: number, width: number): number {
  return Math.max(8, Math.round((channels * width) / 8) * 8);
}

function describeBlocks({ network, width }: NetworkOptions, stemOutputs: number): Block[] {
  const describe = network === 'resnet50' ? bottleneck : basic;
  const blocks: Block[] = [];
  let inputs = stemOutputs;
  STAGES[network].forEach((count, stage) => {
    for (let i = 0; i < count; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const name = `stage${stage + 1}.${i + 1}`;
      const convs = describe({ name, stride, inputs, channels: scaled(64 * 2 ** stage, width) });
      const { outputs } = convs.at(-1)!;
      const same = stride === 1 && inputs === outputs;
      const shortcut = same ? null : { name: `${name}.shortcut`, kernel: 1, stride, inputs, outputs };
      blocks.push({ convs, shortcut });
      inputs = outputs;
    }
  });
  return blocks;
}

interface BlockShape {
  name: string;
  stride: number;
  inputs: number;
  channels: number; // of the 3x3 convolutions
}

function basic({ name, stride, inputs, channels: outputs }: BlockShape): ConvLayer[] {
  return [
    { name: `${name}.first`, kernel: 3, stride, inputs, outputs },
    { name: `${name}.second`, kernel: 3, stride: 1, inputs: outputs, outputs },
  ];
}

/** With the stride on the 3x3, as torchvision's "v1.5": on the 1x1 it would skip three quarters of the input. */
function bottleneck({ name, stride, inputs, channels }: BlockShape): ConvLayer[] {
  return [
    { name: `${name}.first`, kernel: 1, stride: 1, inputs, outputs: channels },
    { name: `${name}.second`, kernel: 3, stride, inputs: channels, outputs: channels },
    { name: `${name}.third`, kernel: 1, stride: 1, inputs: channels, outputs: channels * EXPANSION },
  ];
}

/** How many input pixels make one pixel before the mean pool. */
export function wholeStride({ stem, pool, blocks }: Architecture): number {
  const strides = blocks.flatMap(({ convs }) => convs.map(({ stride }) => stride));
  return strides.reduce((product, stride) => product * stride, stem.stride * (pool ? 2 : 1));
}

/** Numbers a picture has after the mean pool, before the head. */
export function backboneChannels({ blocks }: Pick<Architecture, 'blocks'>): number {
  return blocks.at(-1)!.convs.at(-1)!.outputs;
}

/** Every convolution of the network. */
export function convLayers({ stem, blocks }: Architecture): ConvLayer[] {
  return [stem, ...blocks.flatMap(({ convs, shortcut }) => [...convs, ...(shortcut ? [shortcut] : [])])];
}
