// The window without graphics: ImGui builds its frames, nobody draws them.
#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "app/app.h"
#include "app/theme.h"
#include "imgui.h"
#include "implot.h"

namespace dalea::testing {

inline app::LiveOptions without_thread() {
  app::LiveOptions o;
  o.own_thread = false;
  o.platform = "test";
  return o;
}

class NoScreen : public app::Host {
 public:
  NoScreen() {
    ImGui::CreateContext();
    ImPlot::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    app::build_fonts(1);
    unsigned char* pixels;
    int width, height;
    ImGui::GetIO().Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);
  }
  ~NoScreen() override {
    ImPlot::DestroyContext();
    ImGui::DestroyContext();
  }
  ImTextureID texture(ImTextureID old, int, int, const uint32_t* rgba, bool) override {
    first_pixel = rgba[0];
    ++uploads;
    return old != ImTextureID{} ? old : reinterpret_cast<ImTextureID>(static_cast<uintptr_t>(1));
  }
  void save_file(const app::NamedFile& file) override { saved.push_back(file); }
  void pick_file() override {}
  void copy_text(const std::string& text) override { copied = text; }
  void show_link(const std::string& fragment) override { link = fragment; }
  std::string page_address() override { return "page/"; }
  void keep_layout(const std::string& json) override { layout = json; }

  void frame(app::App& app, float width = 1280, float height = 720) {
    ImGui::GetIO().DisplaySize = {width, height};
    ImGui::GetIO().DeltaTime = 1.0f / 60;
    ImGui::NewFrame();
    app.frame();
    ImGui::Render();
  }

  std::vector<app::NamedFile> saved;
  std::string copied, link, layout;
  int uploads = 0;
  uint32_t first_pixel = 0;
};

}  // namespace dalea::testing
