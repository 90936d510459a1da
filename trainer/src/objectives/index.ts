/** The objectives by name. */
import type { ObjectiveName, Settings } from '../config.js';
import { memoryBank } from './memory-bank.js';
import { nce } from './nce.js';
import type { Objective, ObjectiveSetup } from './objective.js';
import { parametric, supervised } from './parametric.js';
import { queue } from './queue.js';
import { twoView } from './two-view.js';

export type { Objective, ObjectiveSetup, StepInputs } from './objective.js';

const BY_NAME: Record<ObjectiveName, (settings: Settings, setup: ObjectiveSetup) => Objective> = {
  'two-view': twoView,
  'memory-bank': memoryBank,
  nce,
  queue,
  parametric,
  supervised,
};

export function createObjective(settings: Settings, setup: ObjectiveSetup): Objective {
  return BY_NAME[settings.objective](settings, setup);
}
