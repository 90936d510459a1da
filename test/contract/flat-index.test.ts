import { describeIndex, referee } from './index.contract.js';

// The referee against itself: that it keeps the contract is what the other runs rest on; that its lists are
// right is shown apart, against a sort of all scores, in test/unit/core/flat-index.test.ts.
describeIndex({ name: 'flat', exact: true, runs: 20, open: async (bank) => referee(bank) });
