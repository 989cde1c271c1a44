'use client';

import { ArrowLeft } from 'lucide-react';
import { Button } from '../kit/button.tsx';
import { Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

/** Which branch goes into which: a plain GET form, so that the address is the state. */
export function BranchPicker(props: {
  action: string;
  branches: readonly string[];
  base: string;
  head: string | null;
}) {
  const t = useTranslator();
  const { action, branches, base, head } = props;
  const submit = (event: React.ChangeEvent<HTMLSelectElement>) => event.currentTarget.form?.requestSubmit();
  const known = (name: string) => (branches.includes(name) ? branches : [name, ...branches]);
  return (
    <form action={action} key={`${base} ${head}`} className="flex flex-wrap items-end gap-2">
      <input type="hidden" name="pull" value="1" />
      <label className="flex flex-1 basis-44 flex-col gap-1 text-sm text-muted">
        {t('pulls.into')}
        <Select name="base" defaultValue={base} onChange={submit} className="font-mono text-sm">
          {known(base).map((branch) => (
            <option key={branch}>{branch}</option>
          ))}
        </Select>
      </label>
      <ArrowLeft className="mb-2.5 size-4 shrink-0 text-muted max-sm:hidden" aria-hidden="true" />
      <label className="flex flex-1 basis-44 flex-col gap-1 text-sm text-muted">
        {t('pulls.from')}
        <Select name="head" defaultValue={head ?? ''} onChange={submit} className="font-mono text-sm">
          <option value="" disabled>
            {t('pulls.choose')}
          </option>
          {(head === null ? branches : known(head)).map((branch) => (
            <option key={branch}>{branch}</option>
          ))}
        </Select>
      </label>
      <Button type="submit" className="sr-only focus:not-sr-only">
        {t('pulls.choose')}
      </Button>
    </form>
  );
}
