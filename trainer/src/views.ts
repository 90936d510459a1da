/** Which views of a picture a run is fed with. */
import type { ViewPart } from './feed.js';
import { wholeStride } from './network.js';
import { viewSize } from './schedule.js';
import type { Run } from './train.js';

/** The objective's own views, and the smaller ones beside them where the settings ask for any. */
export function viewParts({ settings, network, objective }: Run): ViewPart[] {
  const { size, crop_min: smallest, small_views: count, small_size, small_crop_max } = settings;
  const stride = wholeStride(network.architecture);
  const own: ViewPart = {
    views: objective.views,
    crop: [smallest, 1],
    size,
    sizeAt: (epoch) => viewSize(settings, stride, epoch),
  };
  if (count === 0) return [own];
  const sizeAt = () => small_size;
  return [own, { views: count, crop: [smallest / 4, small_crop_max], size: small_size, sizeAt }];
}
