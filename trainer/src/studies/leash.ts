/**
 * Loaded before the trainer's door in the child process of a study: when the study dies, even by SIGKILL, the
 * training ends as by Ctrl-C, with a checkpoint. Otherwise the study, run again, would meet its own orphan.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGINT'));
process.channel?.unref(); // does not keep a finished training alive
