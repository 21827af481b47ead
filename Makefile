# The front door. The build itself is Meson's: meson.build says what is built, this file only
# what people type. Each target works on a fresh Debian 12: missing packages are installed first.

BUILD ?= build

.PHONY: all demo test bench soak clean prepare

all: prepare $(BUILD)/build.ninja
	@ninja -C $(BUILD)
	@sh tools/link_bin $(BUILD)

prepare:
	@sh tools/prepare

$(BUILD)/build.ninja:
	@meson setup $(BUILD)

# The main job on real data, in a temporary store, each step checked.
demo: all
	@sh demo/run

# Everything: plain, with ASan+UBSan, with TSan; ends with "N passed, N failed, N skipped".
test: prepare
	@/usr/bin/python3 tools/run_tests.py

# Ratios to what the machine can do, measured in one run; see bench/README.md.
bench: prepare
	@/usr/bin/python3 bench/run.py

# Long searches with many seeds; SECONDS bounds each.
soak: prepare
	@/usr/bin/python3 tools/run_tests.py --soak

clean:
	rm -rf $(BUILD) build-asan build-tsan build-bench bin
