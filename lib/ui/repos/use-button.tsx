'use client';

import { Terminal } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../kit/button.tsx';
import { CodeTabs, type Snippet } from '../kit/code-tabs.tsx';
import { Dialog } from '../kit/dialog.tsx';

/** Opens the commands with which to get this repo. */
export function UseButton({
  label,
  text,
  snippets,
}: {
  label: string;
  text: string;
  snippets: readonly Snippet[];
}) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Terminal />
        {label}
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={label} text={text} wide>
        <CodeTabs label={label} snippets={snippets} />
      </Dialog>
    </>
  );
}
