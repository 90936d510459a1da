/** Two views of a picture find each other among all views of the batch; smaller views find the two. */
import type { Settings } from '../config.js';
import { smallViewLoss, twoViewLoss } from '../loss.js';
import { embed } from '../network.js';
import { type Scalar, tf } from '../tensorflow.js';
import { NOTHING, type Objective, type ObjectiveSetup } from './objective.js';

export function twoView(settings: Settings, { network }: ObjectiveSetup): Objective {
  return {
    views: 2,
    trained: NOTHING,
    state: NOTHING,
    loss({ images, small }) {
      const large = embed(network, images, true);
      const between = twoViewLoss(large, settings);
      if (small === null) return between;
      // Pictures of another size have other statistics, and it is the large ones that are served.
      const toLarge = smallViewLoss(embed(network, small, 'batch'), large, settings);
      const share = settings.small_views / (settings.small_views + 1);
      return tf.add(tf.mul(between, 1 - share), tf.mul(toLarge, share)) as Scalar;
    },
  };
}
