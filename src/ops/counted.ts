import { succeeded } from '../core/settled.js';
import type { SearchAnswer, Service } from '../flow/service.js';
import type { Metrics } from './metrics.js';

/** The service with its votes counted, one for each answer; the flows themselves count nothing. */
export function countVotes(service: Service, metrics: Pick<Metrics, 'voteDone'>): Service {
  const count = ({ labels, abstained = false }: SearchAnswer) =>
    metrics.voteDone({ confidence: labels[0]?.probability ?? null, abstained });
  return {
    ...service,
    async search(request, timed) {
      const answer = await service.search(request, timed);
      count(answer);
      return answer;
    },
    async searchAll(request, timed) {
      const answers = await service.searchAll(request, timed);
      answers.filter(succeeded).forEach(count);
      return answers;
    },
  };
}
