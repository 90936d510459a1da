import type { Service } from '../flow/service.js';
import type { Metrics } from './metrics.js';

/** The service with its votes counted, one for each answer; the flows themselves count nothing. */
export function countVotes(service: Service, metrics: Pick<Metrics, 'voteDone'>): Service {
  return {
    ...service,
    async search(request, timed) {
      const answer = await service.search(request, timed);
      metrics.voteDone({
        confidence: answer.labels[0]?.probability ?? null,
        abstained: answer.abstained ?? false,
      });
      return answer;
    },
  };
}
