"""Imported by idle workers, so that the first boosted trees need not wait for LightGBM's own import."""

from meristem.modules.boost import import_lightgbm

import_lightgbm()
