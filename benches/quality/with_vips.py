"""What libvips makes of references: SPEC (JSON: format, options, dials) OUT-FOLDER REFERENCE.png…; one line of JSON an encode.
Pixels are decoded before the clock starts; one thread a picture; time is CPU time of the whole process."""
import json
import os
import pathlib
import sys
import time

os.environ["VIPS_CONCURRENCY"] = "1"
import pyvips

pyvips.cache_set_max(0)
spec, folder = json.loads(sys.argv[1]), pathlib.Path(sys.argv[2])
SAVE = {"jpeg": "jpegsave_buffer", "webp": "webpsave_buffer", "avif": "heifsave_buffer"}[spec["format"]]
NAME = spec.get("name", "vips")

for reference in sys.argv[3:]:
    image = pyvips.Image.new_from_file(reference).copy_memory()
    encode = lambda q: getattr(image, SAVE)(Q=q, keep="none", **spec["options"])
    encode(spec["dials"][0])
    for q in spec["dials"]:
        before = time.process_time()
        data = encode(q)
        took = time.process_time() - before
        file = folder / f"{pathlib.Path(reference).stem}.{NAME}-{q}.{spec['format']}"
        file.write_bytes(data)
        print(json.dumps({"picture": reference, "q": q, "bytes": len(data), "file": str(file), "ms": took * 1e3}), flush=True)
