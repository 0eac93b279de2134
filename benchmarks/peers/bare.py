"""The bare script of one peer: import, two loads, evaluate, accumulate, summarize; nothing else.

python bare.py pycocotools|faster_coco_eval|hotcoco|ultrafast_pycocotools LABELS PREDICTIONS [IOU_TYPE]
"""

import sys

peer, labels, predictions = sys.argv[1:4]
iou_type = sys.argv[4] if len(sys.argv) > 4 else "bbox"
if peer == "pycocotools":
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
elif peer == "faster_coco_eval":
    from faster_coco_eval import COCO
    from faster_coco_eval import COCOeval_faster as COCOeval
elif peer == "hotcoco":
    from hotcoco import COCO, COCOeval
elif peer == "ultrafast_pycocotools":
    from ultrafast_pycocotools.coco import COCO
    from ultrafast_pycocotools.cocoeval import COCOeval
else:
    sys.exit(f"unknown peer {peer}")
truth = COCO(labels)
evaluation = COCOeval(truth, truth.loadRes(predictions), iou_type)
evaluation.evaluate()
evaluation.accumulate()
evaluation.summarize()
