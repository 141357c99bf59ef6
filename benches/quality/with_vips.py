"""What libvips makes of references, as it is by default or as imgproxy asks it to: SPEC (JSON: save, options, dials, name)
OUT-FOLDER REFERENCE.png…; one line of JSON an encode. Pixels are decoded before the clock starts; one thread a picture;
time is CPU time of the whole process."""
import json
import os
import sys
import time

os.environ["VIPS_CONCURRENCY"] = "1"
import pyvips

pyvips.cache_set_max(0)
spec, folder = json.loads(sys.argv[1]), sys.argv[2]
for reference in sys.argv[3:]:
    image = pyvips.Image.new_from_file(reference).copy_memory()
    encode = lambda dial: getattr(image, spec["save"] + "_buffer")(Q=dial, keep="none", **spec["options"])
    if spec["save"] != "heifsave":
        # Slow work needs no warming up.
        encode(spec["dials"][0])
    for dial in spec["dials"]:
        before = time.process_time()
        encoded = encode(dial)
        took = time.process_time() - before
        name = os.path.basename(reference).removesuffix(".png")
        file = os.path.join(folder, f"{name}.{spec['name']}-{dial}")
        with open(file, "wb") as out:
            out.write(encoded)
        print(json.dumps({"picture": reference, "q": dial, "bytes": len(encoded), "file": file, "ms": took * 1e3}))
