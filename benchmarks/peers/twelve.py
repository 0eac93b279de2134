"""The twelve COCO numbers of one peer as a JSON object: `bare.py` itself, run and then asked for its result.

python twelve.py PEER LABELS PREDICTIONS [IOU_TYPE]
"""

import json
import os
import runpy
from pathlib import Path

KEYPOINTS = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")

stdout = os.dup(1)
os.dup2(2, 1)  # what the peer prints, from Python or from native code, goes to stderr
stats = runpy.run_path(str(Path(__file__).with_name("bare.py")))["evaluation"].stats
names = KEYPOINTS if len(stats) == len(KEYPOINTS) else NAMES
metrics = dict(zip(names, (float(number) for number in stats), strict=True))
os.write(stdout, json.dumps({"metrics": metrics}).encode())
