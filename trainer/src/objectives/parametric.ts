/**
 * Softmax over learned class weights. With every picture a class of its own it is the paper's baseline, the
 * parametric softmax (its formula 1); with labels as classes it is ordinary supervised training, the upper
 * bound, and from trained weights (`--start-from`) fine-tuning.
 */
import { type Classifier, createClassifier, logits } from '../classifier.js';
import type { Settings } from '../config.js';
import { parametricLoss } from '../loss.js';
import { backbone, project } from '../network.js';
import { type Tensor1D, tf } from '../tensorflow.js';
import { rowsOfViews } from './memory-bank.js';
import { NOTHING, type Objective, type ObjectiveSetup } from './objective.js';

export function parametric(settings: Settings, { network, pictures }: ObjectiveSetup): Objective {
  const { dimension, seed, views } = settings;
  const classifier = createClassifier({ inputs: dimension, classes: pictures, seed });
  return classify(classifier, { network, views, classOf: (pictures) => rowsOfViews(pictures, views) });
}

export function supervised(settings: Settings, { network, classes }: ObjectiveSetup): Objective {
  const { dimension, seed } = settings;
  const classifier = createClassifier({ inputs: dimension, classes: classes!.labels.length, seed });
  const labels = tf.keep(tf.tensor1d(classes!.of, 'int32'));
  return classify(classifier, {
    network,
    views: 1,
    classOf: (pictures) => tf.gather(labels, pictures) as Tensor1D,
  });
}

interface Classes {
  network: ObjectiveSetup['network'];
  views: number;
  classOf(pictures: Tensor1D): Tensor1D; // of every view
}

/** On the embedding before it is normalised: that is the feature that kNN is to judge. */
function classify(classifier: Classifier, { network, views, classOf }: Classes): Objective {
  return {
    views,
    trained: classifier.trained,
    state: NOTHING,
    loss({ images, pictures }) {
      const features = project(network, backbone(network, images, true));
      return parametricLoss(logits(classifier, features), classOf(pictures));
    },
  };
}
