import { type FunctionComponent, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** A component that is loaded the first time it is shown. Nothing is shown until then: it takes a moment at most. */
export function lazy<Props extends object>(load: () => Promise<FunctionComponent<Props>>): FunctionComponent<Props> {
  let loaded: FunctionComponent<Props> | null = null;
  return function Lazy(props) {
    const [, redraw] = useState(0);
    useEffect(() => {
      if (loaded) return;
      void load().then((component) => {
        loaded = component;
        redraw(1);
      });
    }, []);
    return loaded ? h(loaded, props) : null;
  };
}
