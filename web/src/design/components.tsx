/** The few components that pages are made of. */

import { useEffect, useRef, type ButtonHTMLAttributes, type MouseEvent, type ReactElement, type ReactNode } from "react";
import { navigate } from "../app/route";
import type { Tone } from "../i18n/condition";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** bare: no rule around it. */
  readonly look?: "ruled" | "bare";
};

export function Button({ look = "ruled", className = "", ...rest }: ButtonProps): ReactElement {
  return <button type="button" className={`button button-${look} ${className}`} {...rest} />;
}

interface LinkProps {
  readonly to: string;
  readonly className?: string;
  readonly label?: string;
  readonly current?: boolean;
  readonly children: ReactNode;
}

/** An address inside the application: no reload, but a real link for everything else a link is good for. */
export function Link({ to, className, label, current, children }: LinkProps): ReactElement {
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} className={className} aria-label={label} aria-current={current === true ? "page" : undefined} onClick={onClick}>
      {children}
    </a>
  );
}

/** A square before a state: its colour says what the words beside it say too. */
export function Tag({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }): ReactElement {
  return (
    <span className={`tag tag-${tone}`}>
      <span className="tag-mark" aria-hidden="true" />
      <span className="tag-text">{children}</span>
    </span>
  );
}

/** A name and its value. */
export function Field({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement {
  return (
    <div className="field">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface DialogProps {
  readonly title: string;
  readonly close: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Dialog({ title, close, onClose, children }: DialogProps): ReactElement {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // Leaving the page closes it; closing it here as well would say so to whoever is told when it is closed.
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="dialog-title" onClose={onClose}>
      <header>
        <h2 id="dialog-title">{title}</h2>
        <Button look="bare" onClick={onClose}>
          {close}
        </Button>
      </header>
      {children}
    </dialog>
  );
}
