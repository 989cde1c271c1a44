'use client';

import { Rocket } from 'lucide-react';
import { usePathname, useRouter } from 'next/navigation';
import { useState } from 'react';
import { toast } from 'sonner';
import { endpointAddress } from '../addresses.ts';
import { CallError, callHub } from '../call-hub.ts';
import { Button, ButtonLink } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';

interface Props {
  readonly namespace: string;
  readonly name: string;
  /** It is the one thing to do next on its page. */
  readonly isFirst: boolean;
  /** Why it cannot be deployed by this reader, if so. */
  readonly obstacle: 'signIn' | 'noGguf' | null;
}

/** One press makes an endpoint of this model and goes to its page. */
export function DeployButton({ namespace, name, isFirst, obstacle }: Props) {
  const [t, router, path] = [useTranslator(), useRouter(), usePathname()];
  const [busy, setBusy] = useState(false);
  if (obstacle === 'signIn') {
    return (
      <ButtonLink
        look={isFirst ? 'accent' : 'plain'}
        href={`/login?next=${encodeURIComponent(path)}`}
        title={t('repo.deploySignIn')}
      >
        <Rocket />
        {t('repo.deploy')}
      </ButtonLink>
    );
  }
  const deploy = async () => {
    setBusy(true);
    try {
      const made = await callHub<{ namespace: string; name: string }>('POST', '/api/endpoints', {
        repo: { type: 'model', namespace, name },
      });
      router.push(endpointAddress(made.namespace, made.name));
    } catch (error) {
      setBusy(false);
      toast.error((error instanceof CallError && error.message) || t('words.requestFailed'));
    }
  };
  const why = obstacle === 'noGguf' ? t('repo.deployNoGguf') : undefined;
  // Not `disabled`: the reason must stay reachable by keyboard and pointer.
  return (
    <Button
      look={isFirst && !obstacle ? 'accent' : 'plain'}
      aria-disabled={obstacle !== null || busy}
      title={why}
      aria-description={why}
      onClick={() => {
        if (why) toast.info(why);
        else if (!busy) void deploy();
      }}
    >
      <Rocket />
      {busy ? t('repo.deploying') : t('repo.deploy')}
    </Button>
  );
}
