/** `npm run build`: compiles `src` to `dist` when anything has changed. */
import { build, checkNode, installDependencies } from './setup.mjs';

checkNode();
installDependencies();
build();
