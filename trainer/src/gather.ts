/**
 * Replaces TensorFlow.js's kernel of tf.gather, which reads the indices back to check them in JavaScript: that takes
 * time and cannot be part of a graph. TensorFlow's own operation checks them as well.
 */

import type { TensorInfo } from '@tensorflow/tfjs-core';
import { backend } from './native.js';
import { tf } from './tensorflow.js';

const int32 = backend.getDTypeInteger('int32');

function gather({ inputs, attrs }: { inputs: Record<string, TensorInfo | undefined>; attrs?: object }) {
  const { x, indices } = inputs;
  const { axis, batchDims } = attrs as { axis: number; batchDims: number };
  const { TF_ATTR_INT, TF_ATTR_TYPE } = backend.binding;
  const along = tf.scalar(axis, 'int32');
  const type = (name: string, value: number) => ({ name, type: TF_ATTR_TYPE, value });
  const attributes = [
    { name: 'batch_dims', type: TF_ATTR_INT, value: batchDims },
    type('Tparams', backend.getDTypeInteger(x!.dtype)),
    type('Tindices', backend.getDTypeInteger(indices!.dtype)),
    type('Taxis', int32),
  ];
  const gathered = backend.executeSingleOutput('GatherV2', attributes, [x!, indices!, along]);
  along.dispose();
  return gathered;
}

tf.unregisterKernel('GatherV2', 'tensorflow');
tf.registerKernel({ kernelName: 'GatherV2', backendName: 'tensorflow', kernelFunc: gather });
