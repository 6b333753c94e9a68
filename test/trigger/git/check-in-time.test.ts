import { expect, it } from 'vitest';
import { NO_TRIGGERS } from '../../../src/model/trigger-definition.ts';
import { taskDefinition } from '../../contract/store-values.ts';
import { makeFolder } from '../../service/runs/control-plane.ts';
import { startGitServer } from '../../support/git-server.ts';
import { fileTask, openGitRig, sourceTrigger } from './git-rig.ts';

it('a check right after a task was defined looks, though its definition is being told meanwhile', async () => {
  await using server = await startGitServer();
  await server.repository('app', async (tree) => void (await tree.commit('one')));
  await using work = await server.workTree('app');
  const url = `${server.url}/smart/app.git`;
  const folder = await makeFolder();
  const rig = await openGitRig(folder);
  try {
    for (let number = 0; number < 3; number += 1) {
      const name = `app${number}`;
      const trigger = { ...NO_TRIGGERS, sourceTriggers: [sourceTrigger(url)] };
      const written = await rig.plane.store.tasks.create(taskDefinition(name, { step: fileTask(`${url}#:sub`), trigger }));
      if (!written.ok) throw new Error('not written');
      const told = rig.triggers.taskChanged(name, written.value);
      await Promise.all([rig.triggers.check(written.value), rig.triggers.check(written.value)]);
      const commit = await work.commit(`push ${number}`);
      await work.git('push', '-q', 'origin', 'HEAD:main');
      await told;
      await rig.look(name);
      expect((await rig.runs(name)).map(({ request }) => request.pinnedCommit)).toEqual([commit]);
    }
  } finally {
    await rig[Symbol.asyncDispose]();
    await folder.remove();
  }
});
